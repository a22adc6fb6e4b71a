// Package cluster runs a Kubernetes control plane on this machine, for tests and the demo: etcd and kube-apiserver,
// and kube-controller-manager where garbage collection or the deletion of namespaces matters. There are no nodes, so
// no Pod ever runs. Everything binds to loopback and is gone after Stop.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/chatt2me/webhook-operator/hack/loopback"
)

// Options says what to start.
type Options struct {
	// ControllerManager starts kube-controller-manager too, with the controllers that collect garbage, delete
	// namespaces and make the default ServiceAccount.
	ControllerManager bool

	// APIServerFlags are flags of kube-apiserver without the leading hyphens, such as audit-policy-file.
	APIServerFlags map[string]string

	// EtcdFlags are flags of etcd without the leading hyphens, such as quota-backend-bytes.
	EtcdFlags map[string]string

	// CRDs are files or folders of CustomResourceDefinitions to install; config/crd/bases of this module when nil.
	CRDs []string

	// Output takes what the processes print; nil discards it.
	Output io.Writer
}

// Cluster is a running control plane.
type Cluster struct {
	// Config is the access of an administrator. Its client-side rate limit is far above what a test needs.
	Config *rest.Config

	env        *envtest.Environment
	assets     string
	dir        string // what the processes write
	kubeconfig []byte
	manager    *controllerManager
}

// Start starts a control plane and returns once it answers, its CRDs are installed and, if asked for, the controller
// manager is healthy. It takes some five seconds. ErrNoBinaries is returned when `make controlplane` has not been run.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	assets, err := findAssets()
	if err != nil {
		return nil, err
	}
	if options.CRDs == nil {
		root, err := moduleRoot()
		if err != nil {
			return nil, err
		}
		options.CRDs = defaultCRDs(root)
	}
	dir, err := os.MkdirTemp("", "cluster-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{assets: assets, dir: dir, env: environment(assets, dir, options)}
	if err := c.start(ctx, options); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func environment(assets, dir string, options Options) *envtest.Environment {
	env := &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     options.CRDs,
		ErrorIfCRDPathMissing: true,
		// An existing cluster, which envtest would take from the environment, is never what a test may work on.
		UseExistingCluster: new(bool),
	}
	env.ControlPlane.Etcd = &envtest.Etcd{DataDir: filepath.Join(dir, "etcd"), Out: options.Output, Err: options.Output}
	for flag, value := range options.EtcdFlags {
		env.ControlPlane.Etcd.Configure().Set(flag, value)
	}
	apiServer := env.ControlPlane.GetAPIServer()
	// A folder of our own: envtest leaves one of its own behind when the API server does not start.
	apiServer.CertDir = filepath.Join(dir, "apiserver")
	apiServer.Out, apiServer.Err = options.Output, options.Output
	apiServer.Configure().Set("authorization-mode", "RBAC")
	for flag, value := range options.APIServerFlags {
		apiServer.Configure().Set(flag, value)
	}
	return env
}

func (c *Cluster) start(ctx context.Context, options Options) error {
	if err := c.listen(ctx); err != nil {
		return err
	}
	for _, folder := range []string{"etcd", "apiserver", "manager"} {
		if err := os.Mkdir(filepath.Join(c.dir, folder), 0o700); err != nil {
			return err
		}
	}
	config, err := c.env.Start()
	if err != nil {
		return fmt.Errorf("start the control plane: %w", err)
	}
	c.Config = config
	if c.kubeconfig, err = Kubeconfig(config); err != nil {
		return err
	}
	if !options.ControllerManager {
		return nil
	}
	c.manager, err = c.startControllerManager(ctx, options.Output)
	return err
}

// listen says where etcd and the API server listen. What envtest would choose may be taken before it is used.
func (c *Cluster) listen(ctx context.Context) error {
	etcd, errEtcd := loopback.Reserve(ctx)
	peers, errPeers := loopback.Reserve(ctx)
	server, errServer := loopback.Reserve(ctx)
	c.env.ControlPlane.Etcd.URL = &url.URL{Scheme: "http", Host: etcd.String()}
	c.env.ControlPlane.Etcd.Configure().Set("listen-peer-urls", "http://"+peers.String())
	c.env.ControlPlane.GetAPIServer().SecureServing.ListenAddr = envtest.ListenAddr{
		Address: server.Addr().String(), Port: strconv.Itoa(int(server.Port())),
	}
	return errors.Join(errEtcd, errPeers, errServer)
}

// Stop ends the processes that Start started and removes their files. It may be called more than once.
func (c *Cluster) Stop() error {
	var errs []error
	if c.manager != nil {
		errs = append(errs, c.manager.stop())
		c.manager = nil
	}
	if c.env != nil {
		errs = append(errs, c.env.Stop())
		c.env = nil
	}
	errs = append(errs, os.RemoveAll(c.dir))
	return errors.Join(errs...)
}
