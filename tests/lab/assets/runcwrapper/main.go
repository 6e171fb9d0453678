// runc on a machine without CAP_SYS_RESOURCE: what only that capability allows is taken out of a bundle, then the
// real runc, beside this file with ".real" in its name, does the rest.
package main

import (
	"encoding/json"
	"fmt"
	"io/ioutil"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// option answers the value of the first of the named options, in both spellings, "--name value" and "--name=value".
func option(args []string, names ...string) string {
	for i, arg := range args {
		for _, name := range names {
			if arg == name && i+1 < len(args) {
				return args[i+1]
			}
			if strings.HasPrefix(arg, name+"=") {
				return strings.TrimPrefix(arg, name+"=")
			}
		}
	}
	return ""
}

// soften drops a negative oomScoreAdj and CAP_SYS_RESOURCE from an OCI process.
func soften(process map[string]interface{}) {
	if adj, ok := process["oomScoreAdj"].(json.Number); ok && strings.HasPrefix(adj.String(), "-") {
		delete(process, "oomScoreAdj")
	}
	sets, _ := process["capabilities"].(map[string]interface{})
	for name, value := range sets {
		list, _ := value.([]interface{})
		kept := []interface{}{}
		for _, capability := range list {
			if capability != "CAP_SYS_RESOURCE" {
				kept = append(kept, capability)
			}
		}
		sets[name] = kept
	}
}

// rewrite softens the process in a JSON file: the whole document, or its member "process".
func rewrite(path, member string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.UseNumber()
	document := map[string]interface{}{}
	if err := decoder.Decode(&document); err != nil {
		return err
	}
	process := document
	if member != "" {
		process, _ = document[member].(map[string]interface{})
	}
	if process == nil {
		return nil
	}
	soften(process)
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	return ioutil.WriteFile(path, text, 0600)
}

func prepare(args []string) error {
	for _, arg := range args {
		switch arg {
		case "create", "run":
			bundle := option(args, "--bundle", "-b")
			if bundle == "" {
				bundle = "."
			}
			return rewrite(filepath.Join(bundle, "config.json"), "process")
		case "exec":
			if file := option(args, "--process", "-p"); file != "" {
				return rewrite(file, "")
			}
			return nil
		}
	}
	return nil
}

func main() {
	if err := prepare(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "runc wrapper:", err)
	}
	self, err := os.Executable()
	if err == nil {
		err = syscall.Exec(self+".real", append([]string{self + ".real"}, os.Args[1:]...), os.Environ())
	}
	fmt.Fprintln(os.Stderr, "runc wrapper:", err)
	os.Exit(1)
}
