package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chatt2me/webhook-operator/hack/cluster"
)

// What stands in the samples, and what the demo puts in its place.
const (
	signedSample    = "config/samples/03_signed.yaml"
	unsignedSample  = "config/samples/02_received_messages.yaml"
	signedOrigin    = "https://your-server.example:8443"
	unsignedOrigin  = "https://your-server.example"
	signedPath      = "/webhooks/chatt2me/status"
	signedName      = "message-status"
	signedSecret    = "message-status-signing"
	unsignedName    = "received-messages"
	headerName      = "X-Webhook-Secret"
	headerInSample  = "replace-me-too"
	operatorAccount = "system:serviceaccount:chatt2-webhook-operator-system:chatt2-webhook-operator-controller-manager"
)

// world is everything that runs.
type world struct {
	folder  *folder
	cluster *cluster.Cluster
	// keys are the API keys of the Applications by name, token is the value of the header that the endpoint wants.
	keys  map[string]string
	token string
	// hubURL is where the Hub's API is, adminURL where its admin API is.
	hubURL, adminURL string
	// signedURL is the origin of the endpoint that checks signatures, unsignedURL of the one that does not.
	signedURL, unsignedURL string
}

// startWorld starts everything but the operator, which a step of the story starts.
func startWorld(ctx context.Context, f *folder, out *terminal) (*world, error) {
	w := &world{folder: f, keys: map[string]string{}}
	out.title(0, "Everything that the operator needs is started, on this machine alone")
	for _, start := range []func(context.Context) error{w.makeSecrets, w.startCluster, w.startEndpoints, w.startHub} {
		if err := start(ctx); err != nil {
			return nil, errors.Join(err, ctx.Err())
		}
	}
	out.say("A Kubernetes control plane without nodes: etcd, kube-apiserver and kube-controller-manager.\n"+
		"A Hub in memory with the Applications chat and shop: %s\n"+
		"An endpoint that wants signed deliveries and a secret header: %s\n"+
		"An endpoint that takes whatever comes: %s\n"+
		"All commands below can be typed in another terminal, in this folder, after:",
		w.hubURL, w.signedURL+signedPath, w.unsignedURL+"/webhooks/chatt2me")
	out.command("export KUBECONFIG=$PWD/bin/demo/kubeconfig PATH=$PWD/bin/k8s:$PATH")
	return w, nil
}

// makeSecrets makes what is secret in this demo, as files that commands can read.
func (w *world) makeSecrets(context.Context) error {
	var applications strings.Builder
	applications.WriteString("applications:\n")
	for _, name := range []string{"chat", "shop"} {
		key, err := randomText("api-key-of-" + name + "-")
		if err != nil {
			return err
		}
		w.keys[name] = key
		fmt.Fprintf(&applications, "- {name: %s, apiKey: %s}\n", name, key)
		if err := os.WriteFile(w.folder.path("keys", name), []byte(key), 0o600); err != nil {
			return err
		}
	}
	var err error
	if w.token, err = randomText("token-of-the-endpoint-"); err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(w.folder.path("keys", "endpoint-token"), []byte(w.token), 0o600),
		os.WriteFile(w.folder.path("keys", "applications.yaml"), []byte(applications.String()), 0o600),
	)
}

func randomText(prefix string) (string, error) {
	random := make([]byte, 12)
	if _, err := rand.Read(random); err != nil {
		return "", err
	}
	return prefix + hex.EncodeToString(random), nil
}

// auditPolicy has every write noted, without its content.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`

func (w *world) startCluster(ctx context.Context) error {
	policy := w.folder.path("audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	// A file, not a pipe: it must be there when this process is not.
	output, err := os.Create(w.folder.log("control-plane"))
	if err != nil {
		return err
	}
	defer output.Close()
	// Chatt2Webhook is defined before the controller manager starts, whose garbage collector looks for new kinds every
	// 30 s only.
	w.cluster, err = cluster.Start(ctx, cluster.Options{
		ControllerManager: true, Output: output,
		APIServerFlags: map[string]string{
			"audit-policy-file": policy, "audit-log-path": w.folder.log("audit"), "authorization-mode": "RBAC",
		},
	})
	if err != nil {
		return err
	}
	if err := w.recordCluster(ctx); err != nil {
		return errors.Join(err, w.cluster.Stop())
	}
	if err := os.Setenv("PATH", filepath.Dir(w.cluster.Binary("kubectl"))+":"+os.Getenv("PATH")); err != nil {
		return err
	}
	kubeconfig := w.folder.path("kubeconfig")
	return errors.Join(os.WriteFile(kubeconfig, w.cluster.Kubeconfig(), 0o600), os.Setenv("KUBECONFIG", kubeconfig))
}

// recordCluster writes down the processes of the control plane, which are children of this one.
func (w *world) recordCluster(ctx context.Context) error {
	found, err := children(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager"} {
		for pid, short := range found {
			// Linux keeps the first 15 characters of a name.
			if strings.HasPrefix(name, short) && len(short) >= min(len(name), 15) {
				if err := w.folder.record(name, pid); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
