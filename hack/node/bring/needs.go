package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// pluginFolder is where Debian puts the plugins of containernetworking-plugins.
const pluginFolder = "/usr/lib/cni"

// needs are the packages of Debian that the node lives by, and what shows that they are there.
var needs = []struct {
	pkg   string
	there func() bool
}{
	{"containernetworking-plugins", func() bool { return isFile(pluginFolder + "/bridge") }},
	{"gcc", func() bool { return isProgram("gcc") }},
	{"iproute2", func() bool { return isProgram("ip") }},
	{"iptables", func() bool { return isProgram("iptables") }},
	{"libseccomp-dev", func() bool { return isFile("/usr/include/seccomp.h") }},
	{"pkg-config", func() bool { return isProgram("pkg-config") }},
}

func isFile(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isProgram(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// checkNeeds tells all that is missing at once.
func checkNeeds() error {
	if runtime.GOOS != "linux" {
		return errors.New("a node needs Linux; set KUBECONFIG to use a cluster that is there")
	}
	if os.Getuid() != 0 {
		return errors.New("a node needs root; set KUBECONFIG to use a cluster that is there")
	}
	if missing := missingPackages(); len(missing) > 0 {
		return fmt.Errorf("packages are missing: apt-get install -y --no-install-recommends %s",
			strings.Join(missing, " "))
	}
	return nil
}

func missingPackages() []string {
	var missing []string
	for _, need := range needs {
		if !need.there() {
			missing = append(missing, need.pkg)
		}
	}
	return missing
}
