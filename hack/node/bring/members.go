package main

import (
	"os"
	"strings"
)

// apiServer is where the API server is in the network of the node.
const apiServer = nodeIP + ":6443"

// member is one program of the node.
type member struct {
	name, path string
	args       []string
}

func (f folder) etcd() member {
	return member{"etcd", f.controlPlane("etcd"), []string{
		"--data-dir=" + f.path("etcd"), "--unsafe-no-fsync",
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380",
	}}
}

func (f folder) apiServer() member {
	pki := f.path("pki") + "/"
	return member{"kube-apiserver", f.controlPlane("kube-apiserver"), []string{
		"--etcd-servers=http://127.0.0.1:2379", "--bind-address=0.0.0.0", "--advertise-address=" + nodeIP,
		"--service-cluster-ip-range=" + serviceNet, "--authorization-mode=RBAC", "--allow-privileged",
		"--client-ca-file=" + pki + "ca.crt",
		"--tls-cert-file=" + pki + "apiserver.crt", "--tls-private-key-file=" + pki + "apiserver.key",
		"--kubelet-client-certificate=" + pki + "admin.crt", "--kubelet-client-key=" + pki + "admin.key",
		// Otherwise it would look up the node's name for logs and ports.
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + pki + "sa.pub", "--service-account-signing-key-file=" + pki + "sa.key",
	}}
}

// rest are those that need an API server.
func (f folder) rest() []member {
	pki, own := f.path("pki")+"/", f.path("conf", "kubeconfig")
	return []member{
		{"kube-controller-manager", f.controlPlane("kube-controller-manager"), []string{
			"--kubeconfig=" + own, "--leader-elect=false", "--root-ca-file=" + pki + "ca.crt",
			"--service-account-private-key-file=" + pki + "sa.key", "--bind-address=127.0.0.1",
		}},
		{"kube-scheduler", f.binary("kube-scheduler"), []string{
			"--kubeconfig=" + own, "--leader-elect=false", "--bind-address=127.0.0.1",
		}},
		{"kube-proxy", f.binary("kube-proxy"), []string{
			"--config=" + f.path("conf", "proxy.yaml"), "--hostname-override=" + nodeName,
		}},
		{"kubelet", f.binary("kubelet"), []string{
			"--config=" + f.path("conf", "kubelet.yaml"), "--kubeconfig=" + own, "--root-dir=" + f.path("kubelet"),
			"--cert-dir=" + f.path("pki", "kubelet"), "--hostname-override=" + nodeName, "--node-ip=" + nodeIP,
		}},
	}
}

func (f folder) containerd() member {
	return member{"containerd", f.binary("containerd"), []string{"--config=" + f.path("conf", "containerd.toml")}}
}

// start starts a program of the node; what it prints goes to its log. It ends with the node.
func (f folder) start(m member) (*os.Process, error) {
	log, err := os.Create(f.log(m.name))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	return os.StartProcess(m.path, append([]string{m.name}, m.args...), &os.ProcAttr{
		Dir: f.path(), Files: []*os.File{nil, log, log},
		Env: []string{"HOME=" + f.path(), "PATH=" + strings.TrimSuffix(f.binary(""), "/") + ":" + os.Getenv("PATH")},
	})
}
