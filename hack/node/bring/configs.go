package main

import (
	"encoding/base64"
	"fmt"
	"os"
)

// What is said in the network of the node, which is its own: nothing of it can be seen outside.
const (
	nodeName       = "node"
	nodeIP         = "10.199.0.1"
	nodeNet        = nodeIP + "/24"
	podNet         = "10.244.0.0/24"
	serviceNet     = "10.96.0.0/16"
	firstServiceIP = "10.96.0.1"
	pauseImage     = "node.local/pause:1"
	cgroupRoot     = "chatt2-node"
)

// kubeletConfig has Pods see a changed Secret within seconds instead of a minute.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %[1]s/pki/ca.crt}}
authorization: {mode: Webhook}
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
cgroupRoot: /` + cgroupRoot + `
containerRuntimeEndpoint: unix://%[1]s/containerd.sock
clusterDNS: [` + nodeIP + `]
clusterDomain: cluster.local
resolvConf: ""
podLogsDir: %[1]s/pods
volumePluginDir: %[1]s/state/plugins
syncFrequency: 5s
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 1Mi, nodefs.available: 1%%, imagefs.available: 1%%}
`

const containerdConfig = `version = 3
root = "%[1]s/containerd"
state = "%[1]s/state"
[grpc]
  address = "%[1]s/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "%[1]s/state/opt"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "` + pauseImage + `"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["` + pluginFolder + `"]
    conf_dir = "%[1]s/cni"
`

const networkConfig = `{"cniVersion": "1.0.0", "name": "node", "plugins": [
  {"type": "bridge", "bridge": "pods", "isGateway": true, "hairpinMode": true, "ipam": {
    "type": "host-local", "dataDir": "%[1]s/state/addresses",
    "ranges": [[{"subnet": "` + podNet + `"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
`

// proxyConfig leaves the limits of connection tracking alone, which are the machine's.
const proxyConfig = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: ` + podNet + `
clientConnection: {kubeconfig: %[1]s/conf/kubeconfig}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
`

const kubeconfig = `apiVersion: v1
kind: Config
current-context: node
clusters: [{name: node, cluster: {server: "https://%s", certificate-authority-data: %s}}]
users: [{name: admin, user: {client-certificate-data: %s, client-key-data: %s}}]
contexts: [{name: node, context: {cluster: node, user: admin}}]
`

// writeConfigs writes what the programs of the node are told. Outside it is reached at address.
func writeConfigs(f folder, p *pki, address string) error {
	var data []any
	for _, name := range []string{"ca.crt", "admin.crt", "admin.key"} {
		content, err := os.ReadFile(p.file(name))
		if err != nil {
			return err
		}
		data = append(data, base64.StdEncoding.EncodeToString(content))
	}
	for path, content := range map[string]string{
		f.path("conf", "kubelet.yaml"):    fmt.Sprintf(kubeletConfig, f.path()),
		f.path("conf", "containerd.toml"): fmt.Sprintf(containerdConfig, f.path()),
		f.path("conf", "proxy.yaml"):      fmt.Sprintf(proxyConfig, f.path()),
		f.path("conf", "kubeconfig"):      fmt.Sprintf(kubeconfig, append([]any{apiServer}, data...)...),
		f.path("cni", "10-node.conflist"): fmt.Sprintf(networkConfig, f.path()),
		f.kubeconfig():                    fmt.Sprintf(kubeconfig, append([]any{address}, data...)...),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}
