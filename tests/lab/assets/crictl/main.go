// A stand-in for crictl, which no Debian suite has: the subcommands that the lab and the product use, with real
// crictl's flags and JSON (jsonpb with EmitDefaults). The messages of CRI v1 and v1alpha2 are the same on the wire,
// so v1alpha2's types serve both; v1 is asked first.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/ioutil"
	"os"
	"regexp"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/golang/protobuf/jsonpb"
	"github.com/golang/protobuf/proto"
	"github.com/spf13/pflag"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1alpha2"
	"sigs.k8s.io/yaml"
)

const standIn = "1.20.0-stand-in"

var defaultEndpoints = []string{
	"unix:///var/run/dockershim.sock", "unix:///run/containerd/containerd.sock", "unix:///run/crio/crio.sock",
}

type settings struct {
	RuntimeEndpoint string `json:"runtime-endpoint"`
	ImageEndpoint   string `json:"image-endpoint"`
	Timeout         int    `json:"timeout"`
}

// client speaks to one endpoint in the one API version that it serves.
type client struct {
	conn    *grpc.ClientConn
	api     string
	timeout time.Duration // of calls that only read; 0 is none
}

func fatal(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "time=%q level=fatal msg=%q\n", time.Now().Format(time.RFC3339), fmt.Sprintf(format, args...))
	os.Exit(1)
}

func dial(endpoint string, wait time.Duration) (*grpc.ClientConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	if strings.HasPrefix(endpoint, "/") {
		endpoint = "unix://" + endpoint
	}
	return grpc.DialContext(ctx, endpoint, grpc.WithInsecure(), grpc.WithBlock(), grpc.FailOnNonTempDialError(true),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1024*1024*16)))
}

func connect(endpoint string, wait, timeout time.Duration) *client {
	endpoints := defaultEndpoints
	if endpoint != "" {
		endpoints = []string{endpoint}
	}
	var conn *grpc.ClientConn
	var err error
	for _, candidate := range endpoints {
		if conn, err = dial(candidate, wait); err == nil {
			break
		}
	}
	if err != nil {
		fatal("connect: connect endpoint '%s', make sure you are running as root and the endpoint has been started: %v",
			strings.Join(endpoints, " "), err)
	}
	c := &client{conn: conn, api: "v1", timeout: timeout}
	if err := c.read("Version", &cri.VersionRequest{}, &cri.VersionResponse{}); status.Code(err) == codes.Unimplemented {
		c.api = "v1alpha2"
	}
	return c
}

func (c *client) invoke(ctx context.Context, method string, request, response proto.Message) error {
	service := "RuntimeService"
	if strings.Contains(method, "Image") {
		service = "ImageService"
	}
	return c.conn.Invoke(ctx, "/runtime."+c.api+"."+service+"/"+method, request, response)
}

func (c *client) read(method string, request, response proto.Message) error {
	ctx := context.Background()
	if c.timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, c.timeout)
		defer cancel()
		ctx = limited
	}
	return c.invoke(ctx, method, request, response)
}

func (c *client) must(what, method string, request, response proto.Message) {
	if err := c.read(method, request, response); err != nil {
		fatal("%s: %v", what, err)
	}
}

func (c *client) change(method string, request, response proto.Message) error {
	return c.invoke(context.Background(), method, request, response)
}

func toJSON(message proto.Message) string {
	text, err := (&jsonpb.Marshaler{EmitDefaults: true, Indent: "  "}).MarshalToString(message)
	if err != nil {
		fatal("marshal: %v", err)
	}
	return text
}

// printStatus prints {"status": ..., KEY: ...}: the keys of info as JSON where they are JSON. Times become RFC 3339.
func printStatus(message proto.Message, info map[string]string, timeFields ...string) {
	document := map[string]interface{}{}
	decode(toJSON(message), &document)
	for _, field := range timeFields {
		var nanoseconds int64
		fmt.Sscan(fmt.Sprint(document[field]), &nanoseconds)
		document[field] = time.Unix(0, nanoseconds).Format(time.RFC3339Nano)
	}
	all := map[string]interface{}{"status": document}
	for name, text := range info {
		var value interface{}
		if decode(text, &value) != nil {
			value = text
		}
		all[name] = value
	}
	text, _ := json.MarshalIndent(all, "", "  ")
	fmt.Println(string(text))
}

func decode(text string, into interface{}) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(into)
}

func table(header string, rows [][]string) {
	writer := tabwriter.NewWriter(os.Stdout, 20, 1, 3, ' ', 0)
	fmt.Fprintln(writer, strings.Join(strings.Split(header, "|"), "\t"))
	for _, row := range rows {
		fmt.Fprintln(writer, strings.Join(row, "\t"))
	}
	writer.Flush()
}

func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	if len(id) > 13 {
		return id[:13]
	}
	return id
}

func ago(nanoseconds int64) string {
	return time.Since(time.Unix(0, nanoseconds)).Round(time.Second).String() + " ago"
}

func labels(pairs []string) map[string]string {
	found := map[string]string{}
	for _, pair := range pairs {
		parts := strings.SplitN(pair, "=", 2)
		if len(parts) != 2 {
			fatal("incorrectly specified label: %v", pair)
		}
		found[parts[0]] = parts[1]
	}
	return found
}

func pattern(text string) *regexp.Regexp {
	compiled, err := regexp.Compile(text)
	if err != nil {
		fatal("%v", err)
	}
	return compiled
}

func state(name, prefix string, values map[string]int32) int32 {
	value, ok := values[prefix+strings.ToUpper(name)]
	if !ok {
		fatal("--state should be one of the states of %s", strings.ToLower(prefix))
	}
	return value
}

// listing holds the flags that ps, pods and images share.
type listing struct {
	flags           *pflag.FlagSet
	quiet, noTrunc  *bool
	latest          *bool
	last            *int
	output, id      *string
	name, stateName *string
	label           *[]string
}

func newListing(command string) listing {
	f := pflag.NewFlagSet(command, pflag.ExitOnError)
	return listing{
		flags: f, quiet: f.BoolP("quiet", "q", false, ""), noTrunc: f.Bool("no-trunc", false, ""),
		latest: f.BoolP("latest", "l", false, ""), last: f.IntP("last", "n", 0, ""),
		output: f.StringP("output", "o", "", ""), id: f.String("id", "", ""),
		name: f.String("name", "", ""), stateName: f.StringP("state", "s", "", ""), label: f.StringSlice("label", nil, ""),
	}
}

func (l listing) identifier(id string) string {
	if *l.noTrunc {
		return id
	}
	return short(id)
}

// bound is how many of n entries are wanted, the newest first.
func (l listing) bound(n int) int {
	if *l.latest && n > 1 {
		return 1
	}
	if *l.last > 0 && *l.last < n {
		return *l.last
	}
	return n
}

func containers(c *client, filter *cri.ContainerFilter) []*cri.Container {
	response := &cri.ListContainersResponse{}
	c.must("listing containers", "ListContainers", &cri.ListContainersRequest{Filter: filter}, response)
	list := response.Containers
	sort.Slice(list, func(i, j int) bool { return list[i].CreatedAt > list[j].CreatedAt })
	return list
}

func ps(c *client, args []string) {
	l := newListing("ps")
	all := l.flags.BoolP("all", "a", false, "")
	pod := l.flags.StringP("pod", "p", "", "")
	image := l.flags.String("image", "", "")
	l.flags.Parse(args)
	filter := &cri.ContainerFilter{Id: *l.id, PodSandboxId: *pod, LabelSelector: labels(*l.label)}
	if *l.stateName != "" {
		value := cri.ContainerState(state(*l.stateName, "CONTAINER_", cri.ContainerState_value))
		filter.State = &cri.ContainerStateValue{State: value}
	} else if !*all && !*l.latest && *l.last == 0 {
		filter.State = &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_RUNNING}
	}
	name, kept := pattern(*l.name), []*cri.Container{}
	for _, one := range containers(c, filter) {
		if name.MatchString(one.Metadata.GetName()) && (*image == "" || one.Image.GetImage() == *image || one.ImageRef == *image) {
			kept = append(kept, one)
		}
	}
	kept = kept[:l.bound(len(kept))]
	if *l.output == "json" {
		fmt.Println(toJSON(&cri.ListContainersResponse{Containers: kept}))
		return
	}
	rows := [][]string{}
	for _, one := range kept {
		if *l.quiet {
			fmt.Println(one.Id)
			continue
		}
		rows = append(rows, []string{l.identifier(one.Id), l.identifier(one.Image.GetImage()), ago(one.CreatedAt),
			strings.Title(strings.ToLower(strings.TrimPrefix(one.State.String(), "CONTAINER_"))), one.Metadata.GetName(),
			fmt.Sprint(one.Metadata.GetAttempt()), l.identifier(one.PodSandboxId)})
	}
	if !*l.quiet {
		table("CONTAINER|IMAGE|CREATED|STATE|NAME|ATTEMPT|POD ID", rows)
	}
}

func sandboxes(c *client, filter *cri.PodSandboxFilter) []*cri.PodSandbox {
	response := &cri.ListPodSandboxResponse{}
	c.must("listing pod sandboxes", "ListPodSandbox", &cri.ListPodSandboxRequest{Filter: filter}, response)
	list := response.Items
	sort.Slice(list, func(i, j int) bool { return list[i].CreatedAt > list[j].CreatedAt })
	return list
}

func pods(c *client, args []string) {
	l := newListing("pods")
	namespace := l.flags.String("namespace", "", "")
	l.flags.Parse(args)
	filter := &cri.PodSandboxFilter{Id: *l.id, LabelSelector: labels(*l.label)}
	if *l.stateName != "" {
		value := cri.PodSandboxState(state(*l.stateName, "SANDBOX_", cri.PodSandboxState_value))
		filter.State = &cri.PodSandboxStateValue{State: value}
	}
	name, space, kept := pattern(*l.name), pattern(*namespace), []*cri.PodSandbox{}
	for _, one := range sandboxes(c, filter) {
		if name.MatchString(one.Metadata.GetName()) && space.MatchString(one.Metadata.GetNamespace()) {
			kept = append(kept, one)
		}
	}
	kept = kept[:l.bound(len(kept))]
	if *l.output == "json" {
		fmt.Println(toJSON(&cri.ListPodSandboxResponse{Items: kept}))
		return
	}
	rows := [][]string{}
	for _, one := range kept {
		if *l.quiet {
			fmt.Println(one.Id)
			continue
		}
		handler := one.RuntimeHandler
		if handler == "" {
			handler = "(default)"
		}
		rows = append(rows, []string{l.identifier(one.Id), ago(one.CreatedAt),
			strings.Title(strings.ToLower(strings.TrimPrefix(one.State.String(), "SANDBOX_"))), one.Metadata.GetName(),
			one.Metadata.GetNamespace(), fmt.Sprint(one.Metadata.GetAttempt()), handler})
	}
	if !*l.quiet {
		table("POD ID|CREATED|STATE|NAME|NAMESPACE|ATTEMPT|RUNTIME", rows)
	}
}

func images(c *client, args []string) {
	l := newListing("images")
	l.flags.Parse(args)
	request, response := &cri.ListImagesRequest{}, &cri.ListImagesResponse{}
	if name := l.flags.Arg(0); name != "" {
		request.Filter = &cri.ImageFilter{Image: &cri.ImageSpec{Image: name}}
	}
	c.must("listing images", "ListImages", request, response)
	if *l.output == "json" {
		fmt.Println(toJSON(response))
		return
	}
	rows := [][]string{}
	for _, one := range response.Images {
		if *l.quiet {
			fmt.Println(one.Id)
			continue
		}
		tags := one.RepoTags
		if len(tags) == 0 {
			tags = []string{"<none>:<none>"}
		}
		for _, tag := range tags {
			cut := strings.LastIndex(tag, ":")
			rows = append(rows, []string{tag[:cut], tag[cut+1:], l.identifier(one.Id), fmt.Sprintf("%.3gMB", float64(one.Size_)/1e6)})
		}
	}
	if !*l.quiet {
		table("IMAGE|TAG|IMAGE ID|SIZE", rows)
	}
}

// operands parses flags that change nothing here (-o json is the only output of inspect) and answers the rest.
func operands(command string, args []string) []string {
	f := pflag.NewFlagSet(command, pflag.ExitOnError)
	f.StringP("output", "o", "json", "")
	f.BoolP("quiet", "q", false, "")
	f.String("creds", "", "")
	f.Parse(args)
	if command != "info" && command != "version" {
		named(f.Args(), command)
	}
	return f.Args()
}

func inspect(c *client, args []string) {
	for _, id := range operands("inspect", args) {
		response := &cri.ContainerStatusResponse{}
		request := &cri.ContainerStatusRequest{ContainerId: id, Verbose: true}
		c.must("getting the status of the container", "ContainerStatus", request, response)
		printStatus(response.Status, response.Info, "createdAt", "startedAt", "finishedAt")
	}
}

func inspectp(c *client, args []string) {
	for _, id := range operands("inspectp", args) {
		response := &cri.PodSandboxStatusResponse{}
		request := &cri.PodSandboxStatusRequest{PodSandboxId: id, Verbose: true}
		c.must("getting the pod sandbox status", "PodSandboxStatus", request, response)
		printStatus(response.Status, response.Info, "createdAt")
	}
}

func inspecti(c *client, args []string) {
	for _, name := range operands("inspecti", args) {
		response := &cri.ImageStatusResponse{}
		request := &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}, Verbose: true}
		c.must("image status", "ImageStatus", request, response)
		if response.Image == nil {
			fatal("no such image %q present", name)
		}
		printStatus(response.Image, response.Info)
	}
}

func info(c *client, args []string) {
	operands("info", args)
	response := &cri.StatusResponse{}
	c.must("getting status of runtime", "Status", &cri.StatusRequest{Verbose: true}, response)
	printStatus(response.Status, response.Info)
}

func version(c *client, args []string) {
	operands("version", args)
	r := &cri.VersionResponse{}
	c.must("getting the runtime version", "Version", &cri.VersionRequest{}, r)
	fmt.Printf("Version:  %s\nRuntimeName:  %s\nRuntimeVersion:  %s\nRuntimeApiVersion:  %s\n",
		r.Version, r.RuntimeName, r.RuntimeVersion, r.RuntimeApiVersion)
}

func pull(c *client, args []string) {
	name := operands("pull", args)[0]
	response := &cri.PullImageResponse{}
	request := &cri.PullImageRequest{Image: &cri.ImageSpec{Image: name}}
	if err := c.change("PullImage", request, response); err != nil {
		fatal("pulling image: %v", err)
	}
	fmt.Printf("Image is up to date for %s\n", response.ImageRef)
}

func rmi(c *client, args []string) {
	for _, name := range operands("rmi", args) {
		request := &cri.RemoveImageRequest{Image: &cri.ImageSpec{Image: name}}
		if err := c.change("RemoveImage", request, &cri.RemoveImageResponse{}); err != nil {
			fatal("removing image %q: %v", name, err)
		}
		fmt.Printf("Deleted: %s\n", name)
	}
}

// execute is synchronous with and without -s: no terminal, no input.
func execute(c *client, args []string) {
	f := pflag.NewFlagSet("exec", pflag.ExitOnError)
	f.SetInterspersed(false)
	f.BoolP("sync", "s", false, "")
	f.BoolP("tty", "t", false, "")
	f.BoolP("interactive", "i", false, "")
	seconds := f.Int64("timeout", 0, "")
	f.Parse(args)
	if f.NArg() < 2 {
		fatal("exec: a container and a command are required")
	}
	response := &cri.ExecSyncResponse{}
	request := &cri.ExecSyncRequest{ContainerId: f.Arg(0), Cmd: f.Args()[1:], Timeout: *seconds}
	if err := c.change("ExecSync", request, response); err != nil {
		fatal("execing command in container: %v", err)
	}
	os.Stdout.Write(response.Stdout)
	os.Stderr.Write(response.Stderr)
	if response.ExitCode != 0 {
		fatal("execing command in container: command terminated with exit code %d", response.ExitCode)
	}
}

func named(ids []string, command string) {
	if len(ids) == 0 {
		fatal("%s: ID cannot be empty", command)
	}
}

// each does a thing to all ids, and fails at the end if one failed.
func each(ids []string, what string, do func(id string) error) {
	failed := 0
	for _, id := range ids {
		if err := do(id); err != nil {
			fmt.Fprintf(os.Stderr, "%s %q: %v\n", what, id, err)
			failed++
		}
	}
	if failed > 0 {
		fatal("%s: %d of %d failed", what, failed, len(ids))
	}
}

func stop(c *client, args []string) {
	f := pflag.NewFlagSet("stop", pflag.ExitOnError)
	seconds := f.Int64P("timeout", "t", 0, "")
	f.Parse(args)
	named(f.Args(), "stop")
	each(f.Args(), "stopping the container", func(id string) error {
		request := &cri.StopContainerRequest{ContainerId: id, Timeout: *seconds}
		if err := c.change("StopContainer", request, &cri.StopContainerResponse{}); err != nil {
			return err
		}
		fmt.Println(id)
		return nil
	})
}

func rm(c *client, args []string) {
	f := pflag.NewFlagSet("rm", pflag.ExitOnError)
	all, force := f.BoolP("all", "a", false, ""), f.BoolP("force", "f", false, "")
	f.Parse(args)
	ids := f.Args()
	if !*all {
		named(ids, "rm")
	} else {
		for _, one := range containers(c, nil) {
			ids = append(ids, one.Id)
		}
	}
	each(ids, "removing the container", func(id string) error {
		response := &cri.ContainerStatusResponse{}
		if err := c.read("ContainerStatus", &cri.ContainerStatusRequest{ContainerId: id}, response); err != nil {
			return err
		}
		if response.Status.GetState() == cri.ContainerState_CONTAINER_RUNNING {
			if !*force {
				return fmt.Errorf("container is running, please stop it first")
			}
			if err := c.change("StopContainer", &cri.StopContainerRequest{ContainerId: id}, &cri.StopContainerResponse{}); err != nil {
				return err
			}
		}
		if err := c.change("RemoveContainer", &cri.RemoveContainerRequest{ContainerId: id}, &cri.RemoveContainerResponse{}); err != nil {
			return err
		}
		fmt.Println(id)
		return nil
	})
}

func stopSandbox(c *client, id string) error {
	err := c.change("StopPodSandbox", &cri.StopPodSandboxRequest{PodSandboxId: id}, &cri.StopPodSandboxResponse{})
	if err == nil {
		fmt.Printf("Stopped sandbox %s\n", id)
	}
	return err
}

func stopp(c *client, args []string) {
	each(operands("stopp", args), "stopping the pod sandbox", func(id string) error { return stopSandbox(c, id) })
}

func rmp(c *client, args []string) {
	f := pflag.NewFlagSet("rmp", pflag.ExitOnError)
	all, force := f.BoolP("all", "a", false, ""), f.BoolP("force", "f", false, "")
	f.Parse(args)
	ids := f.Args()
	if !*all {
		named(ids, "rmp")
	} else {
		for _, one := range sandboxes(c, nil) {
			ids = append(ids, one.Id)
		}
	}
	each(ids, "removing the pod sandbox", func(id string) error {
		response := &cri.PodSandboxStatusResponse{}
		if err := c.read("PodSandboxStatus", &cri.PodSandboxStatusRequest{PodSandboxId: id}, response); err != nil {
			return err
		}
		if response.Status.GetState() == cri.PodSandboxState_SANDBOX_READY {
			if !*force {
				return fmt.Errorf("pod sandbox is running, please stop it first")
			}
			if err := stopSandbox(c, id); err != nil {
				return err
			}
		}
		request := &cri.RemovePodSandboxRequest{PodSandboxId: id}
		if err := c.change("RemovePodSandbox", request, &cri.RemovePodSandboxResponse{}); err != nil {
			return err
		}
		fmt.Printf("Removed sandbox %s\n", id)
		return nil
	})
}

func main() {
	global := pflag.NewFlagSet("crictl", pflag.ExitOnError)
	global.SetInterspersed(false)
	config := global.StringP("config", "c", "/etc/crictl.yaml", "client config file")
	endpoint := global.StringP("runtime-endpoint", "r", os.Getenv("CONTAINER_RUNTIME_ENDPOINT"), "CRI runtime service")
	imageEndpoint := global.StringP("image-endpoint", "i", os.Getenv("IMAGE_SERVICE_ENDPOINT"), "CRI image service")
	timeout := global.DurationP("timeout", "t", 0, "of the connection, and of calls that only read")
	global.BoolP("debug", "D", false, "")
	showVersion := global.BoolP("version", "v", false, "")
	global.Parse(os.Args[1:])
	if *showVersion {
		fmt.Println("crictl version", standIn)
		return
	}
	file := settings{}
	if text, err := ioutil.ReadFile(*config); err == nil {
		if err := yaml.Unmarshal(text, &file); err != nil {
			fatal("loading config file: %v", err)
		}
	} else if global.Changed("config") {
		fatal("loading config file: %v", err)
	}
	if *endpoint == "" {
		*endpoint = file.RuntimeEndpoint
	}
	if *imageEndpoint == "" {
		*imageEndpoint = file.ImageEndpoint
	}
	if *timeout == 0 {
		*timeout = time.Duration(file.Timeout) * time.Second
	}
	commands := map[string]func(*client, []string){
		"version": version, "info": info, "ps": ps, "pods": pods, "images": images, "image": images, "pull": pull, "inspect": inspect,
		"inspectp": inspectp, "inspecti": inspecti, "exec": execute, "stop": stop, "stopp": stopp, "rm": rm, "rmp": rmp, "rmi": rmi,
	}
	command, ok := commands[global.Arg(0)]
	if !ok {
		fmt.Fprintln(os.Stderr, "usage: crictl [-r ENDPOINT] [-t TIMEOUT] COMMAND [ARGUMENTS]; this stand-in has:")
		names := []string{}
		for name := range commands {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintln(os.Stderr, strings.Join(names, " "))
		os.Exit(1)
	}
	wait := *timeout
	if wait == 0 {
		wait = 2 * time.Second
	}
	switch global.Arg(0) {
	case "images", "image", "inspecti", "pull", "rmi":
		if *imageEndpoint != "" {
			*endpoint = *imageEndpoint
		}
	}
	command(connect(*endpoint, wait, *timeout), global.Args()[1:])
}
