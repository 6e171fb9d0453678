"""apt-get, apt-mark, apt-cache, dpkg-query, deb-systemd-helper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cri_switch.rehearsal import package_files
from cri_switch.rehearsal.packages import Package
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, after, failed, said

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

_FLAGS = {
    "-y",
    "-s",
    "--no-install-recommends",
    "--no-remove",
    "--download-only",
    "--reinstall",
    "--allow-change-held-packages",
}

READING = "Reading package lists...\nBuilding dependency tree...\nReading state information...\n"


def apt_get(call: Call) -> Reply:
    """`apt-get [-s] -y -o OPTION... update|install|remove [flags] NAME[=VERSION]...`."""
    flags, words, args = set(), [], iter(call.args)
    for word in args:
        if word == "-o":
            next(args)
        elif word.startswith("-"):
            if word not in _FLAGS:
                raise UnknownUse(f"apt-get {word}")
            flags.add(word)
        else:
            words.append(word)
    verb, names = words[0], words[1:]
    if verb == "update" and not names:
        return said("Hit:1 http://deb.example stable InRelease\nReading package lists...\n")
    if verb == "install":
        return _install(call.machine, names, flags)
    if verb in ("remove", "purge"):
        return _remove(call.machine, names, flags, verb)
    raise UnknownUse(f"apt-get {verb}")


def _install(machine: Machine, names: list[str], flags: set[str]) -> Reply:
    packages = machine.packages
    plain: list[str] = []
    for name, _equals, version in (word.partition("=") for word in names):
        if name not in packages.offered and not packages.installed(name):
            return failed(f"E: Unable to locate package {name}", 100, READING)
        if version and packages.offered.get(name) != version:
            return failed(f"E: Version '{version}' for '{name}' was not found", 100)
        plain.append(name)
    wanted = packages.to_install(plain)
    if missing := [name for name in wanted if name not in packages.offered]:
        return failed(f"E: Package '{missing[0]}' has no installation candidate", 100)
    if "-s" in flags:
        lines = [f"{verb} {n} ({packages.offered[n]} Debian [amd64])" for verb in ("Inst", "Conf") for n in wanted]
        return said("".join(f"{line}\n" for line in lines))
    return _unpacked(machine, plain, wanted, download="--download-only" in flags)


def _unpacked(machine: Machine, plain: list[str], wanted: list[str], *, download: bool) -> Reply:
    packages = machine.packages
    if machine.fs.room is not None:
        return failed("E: You don't have enough free space in /var/cache/apt/archives/.", 100)
    if download:
        return said("Download complete and in download only mode\n")
    if broken := [name for name in wanted if name in packages.broken]:
        return failed(f"E: Sub-process /usr/bin/dpkg returned an error code (1): {broken[0]}", 100)
    for name in wanted:
        packages.known[name] = Package(name, packages.offered[name])
        package_files.unpack(machine, name)
    for name in wanted:
        package_files.configure(machine, name)
    for name in plain:
        packages.known[name].manual = True
    return said("".join(f"Setting up {name} ({packages.offered[name]}) ...\n" for name in wanted))


def _remove(machine: Machine, names: list[str], flags: set[str], verb: str) -> Reply:
    packages = machine.packages
    unknown = [name for name in names if name not in packages.known and name not in packages.offered]
    if unknown:
        return failed(f"E: Unable to locate package {unknown[0]}", 100, READING)
    going = packages.to_remove(names)
    if any(packages.known[name].hold for name in going) and "--allow-change-held-packages" not in flags:
        words = "E: Held packages were changed and -y was used without --allow-change-held-packages."
        return failed(words, 100)
    if "-s" in flags:
        word = "Purg" if verb == "purge" else "Remv"
        return said("".join(f"{word} {name} [{packages.known[name].version}]\n" for name in going))
    for name in going:
        package_files.remove(machine, name)
        packages.known[name].status = "rc"
        if verb == "purge":
            package_files.purge(machine, name)
    return said("".join(f"Removing {name} ({packages.known[name].version}) ...\n" for name in going))


def apt_mark(call: Call) -> Reply:
    """`apt-mark showmanual|showhold|manual|auto|hold|unhold NAME...`."""
    known = call.machine.packages.known
    verb, *names = call.args
    if verb in ("showmanual", "showhold"):
        found = [p.name for p in known.values() if (p.installed and p.manual if verb == "showmanual" else p.hold)]
        return said("".join(f"{name}\n" for name in sorted(found)))
    if verb not in ("manual", "auto", "hold", "unhold"):
        raise UnknownUse(f"apt-mark {verb}")
    for name in names:
        if name not in known:
            return failed(f"E: Unable to locate package {name}", 100)
        if verb in ("manual", "auto"):
            known[name].manual = verb == "manual"
        else:
            known[name].hold = verb == "hold"
    words = {"manual": "set to manually installed", "auto": "set to automatically installed"}
    text = words.get(verb, "set on hold" if verb == "hold" else "Canceled hold on")
    return said("".join(f"{name} {text}.\n" for name in names))


def apt_cache(call: Call) -> Reply:
    """`apt-cache policy NAME`."""
    (name,) = after(call.args, "policy")
    packages = call.machine.packages
    there, offered = packages.known.get(name), packages.offered.get(name)
    installed = there.version if there is not None and there.installed else None
    if installed is None and offered is None:
        return Reply()
    lines = [f"{name}:", f"  Installed: {installed or '(none)'}", f"  Candidate: {offered or installed}"]
    lines.append("  Version table:")
    for version in dict.fromkeys(one for one in (offered, installed) if one):
        lines.append(f" {'***' if version == installed else '   '} {version} 500")
        if version == offered:
            lines.append("        500 http://deb.example stable/main amd64 Packages")
        if version == installed:
            lines.append("        100 /var/lib/dpkg/status")
    return said("\n".join(lines) + "\n")


def dpkg_query(call: Call) -> Reply:
    """`dpkg-query -W -f '${Package}\\t${db:Status-Abbrev}\\t${Version}\\n' NAME...`."""
    form, *names = after(call.args, "-W", "-f")
    out, err = "", ""
    for name in names or list(call.machine.packages.known):
        found = call.machine.packages.known.get(name)
        if found is None or found.status in ("un", "pn"):
            err += f"dpkg-query: no packages found matching {name}\n" if names else ""
            continue
        values = {"${Package}": name, "${db:Status-Abbrev}": found.letters, "${Version}": found.version}
        text = form
        for mark, value in {**values, "\\t": "\t", "\\n": "\n"}.items():
            text = text.replace(mark, value)
        if "${" in text:
            raise UnknownUse(f"dpkg-query -f {form}")
        out += text
    return said(out, 1 if err else 0, err)


def deb_systemd_helper(call: Call) -> Reply:
    """`deb-systemd-helper unmask UNIT...`: only masks of the package's own; it wants to know whose."""
    units = after(call.args, "unmask")
    if "DPKG_MAINTSCRIPT_PACKAGE" not in call.env:
        return failed("/usr/bin/deb-systemd-helper: Error: deb-systemd-helper was not called from dpkg. Exiting.")
    if call.machine.fs.exists(package_files.MARK):
        call.machine.fs.remove(package_files.MARK, recursive=True)
        for unit in units:
            call.machine.systemd.files.unmask(unit)
    return Reply()
