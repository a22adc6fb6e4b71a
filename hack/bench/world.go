package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
)

const (
	// namespace is where the resources are.
	namespace          = "bench"
	installedNamespace = "chatt2-webhook-operator-system"
	leaseName          = "chatt2-webhook-operator"
	operatorAccount    = "system:serviceaccount:" + installedNamespace + ":chatt2-webhook-operator-controller-manager"
)

// world is a fresh control plane and a fresh Hub, and the operator when one runs.
type world struct {
	*settings
	folder      *folder
	say         progress
	name, dir   string
	cluster     *cluster.Cluster
	client      client.Client // an administrator's
	certificate *certificate
	hub         *hub
	endpoint    string
	kubeconfig  string // the operator's
	access      *rest.Config
	audit       *auditLog
	resources   *watcher
	operator    *operator
	stops       []func() error
}

// newWorld starts everything but the operator. Also where there is an error, end is to be called.
func (b *bench) newWorld(ctx context.Context, name string) (w *world, err error) {
	w = &world{settings: &b.settings, folder: b.folder, say: b.say, name: name}
	b.say("%s: starting a control plane and a Hub", name)
	if w.dir, err = os.MkdirTemp("", "bench-"); err != nil {
		return w, err
	}
	w.stops = append(w.stops, func() error { return os.RemoveAll(w.dir) })
	for _, start := range []func(context.Context) error{
		w.startCluster, w.install, w.startEndpoint, w.startHub, w.startWatcher,
	} {
		if err := start(ctx); err != nil {
			return w, err
		}
	}
	return w, nil
}

// end ends everything, the last first.
func (w *world) end() error {
	errs := []error{w.stopOperator()}
	for _, stop := range slices.Backward(w.stops) {
		errs = append(errs, stop())
	}
	w.stops = nil
	return errors.Join(errs...)
}

func (w *world) log(name string) string { return w.folder.log(w.name + "-" + name) }

func (w *world) startCluster(ctx context.Context) error {
	policy := filepath.Join(w.dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	output, err := os.Create(w.log("control-plane"))
	if err != nil {
		return err
	}
	w.stops = append(w.stops, output.Close)
	w.audit = &auditLog{path: filepath.Join(w.dir, "audit.log"), user: operatorAccount}
	w.cluster, err = cluster.Start(ctx, cluster.Options{
		ControllerManager: true, Output: output,
		// Tens of thousands of objects, and their history, are more than etcd takes by default.
		EtcdFlags: map[string]string{"quota-backend-bytes": strconv.Itoa(16 << 30)},
		APIServerFlags: map[string]string{
			"audit-policy-file": policy, "audit-log-path": w.audit.path, "authorization-mode": "RBAC",
			// In megabytes: a log that is rotated would be counted in part only.
			"audit-log-maxsize": "100000",
		},
	})
	if err != nil {
		return err
	}
	w.stops = append(w.stops, w.cluster.Stop)
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	w.client, err = client.New(unlimited(w.cluster.Config), client.Options{Scheme: scheme})
	return err
}

// unlimited is the access of config without a limit on the side of the client.
func unlimited(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.QPS = -1
	return config
}

func (w *world) startEndpoint(ctx context.Context) (err error) {
	if w.certificate, err = newCertificate(w.dir); err != nil {
		return err
	}
	origin, stop, err := serve(ctx, w.certificate, http.HandlerFunc(repeatToken))
	if err != nil {
		return err
	}
	w.endpoint = origin
	w.stops = append(w.stops, stop)
	return nil
}

func (w *world) startHub(ctx context.Context) error {
	applications := filepath.Join(w.dir, "applications.yaml")
	text := fmt.Sprintf("applications:\n- {name: %s, apiKey: %s}\n- {name: %s, apiKey: %s}\n",
		application, apiKey, direct, directKey)
	if err := os.WriteFile(applications, []byte(text), 0o600); err != nil {
		return err
	}
	p, err := launch(ctx, "hub-simulator", w.log("hub"), w.settings.operator, "hub-simulator",
		"--bind-address=127.0.0.1:0", "--admin-bind-address=127.0.0.1:0", "--tls-cert-file="+w.certificate.certFile,
		"--tls-private-key-file="+w.certificate.keyFile, "--applications-file="+applications,
		"--endpoint-ca-file="+w.certificate.certFile, "--latency="+w.latency.String())
	if err != nil {
		return err
	}
	w.stops = append(w.stops, p.stop)
	found, err := p.addresses(ctx, 2)
	if err != nil {
		return err
	}
	w.hub = &hub{url: found[0], admin: found[1], program: p, client: &http.Client{Timeout: time.Minute}}
	parsed, err := url.Parse(w.hub.url)
	if err != nil {
		return err
	}
	w.hub.port, err = strconv.Atoi(parsed.Port())
	return err
}

func (w *world) startWatcher(ctx context.Context) (err error) {
	if w.resources, err = newWatcher(unlimited(w.cluster.Config), namespace, w.say); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.resources.run(ctx)
	}()
	w.stops = append(w.stops, func() error {
		stop()
		<-ended
		return nil
	})
	return nil
}
