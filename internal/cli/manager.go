package cli

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// shutdownTime is how long the steps under way may take when the operator is asked to stop.
const shutdownTime = 40 * time.Second

// secretRecheck is how often Secrets are looked at whose changes are not watched.
const secretRecheck = time.Minute

// gcPercent is how much the heap may grow between two collections, in percent: less than the usual 100. What is kept is
// most of the memory, and little is thrown away while nothing happens.
const gcPercent = 40

// leastQPS is the slowest pace that makes sense: a listing of ten thousand takes six hours.
const leastQPS = 0.01

// run runs the operator until ctx ends.
func (f *operatorFlags) run(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if err := f.check(); err != nil {
		return err
	}
	config, err := f.restConfig()
	if err != nil {
		return err
	}
	a, err := f.access(ctx, config)
	if err != nil {
		return err
	}
	mgr, err := f.manager(config, a)
	if err != nil {
		return err
	}
	if err := f.setup(mgr, a); err != nil {
		return err
	}
	mgr.GetLogger().Info("Starting the operator", "version", version(), "settings", f.settings)
	return startManager(ctx, mgr)
}

// check refuses what cannot work together.
func (f *operatorFlags) check() error {
	switch {
	case f.hubSettleTime <= f.hubTimeout:
		return errors.New("--hub-settle-time must be longer than --hub-timeout: a call may be carried out until then")
	case !(f.hubQPS >= leastQPS) || math.IsInf(f.hubQPS, 1) || f.hubBurst < 1:
		return fmt.Errorf("--hub-qps must be at least %g and --hub-burst at least 1", leastQPS)
	case f.hubTimeout <= 0 || f.hubTimeout >= controller.StepTime:
		return fmt.Errorf("--hub-timeout must be above 0 and below %s, which a step may take", controller.StepTime)
	case slices.ContainsFunc(f.namespaces, func(n string) bool { return len(validation.IsDNS1123Label(n)) > 0 }):
		return fmt.Errorf("--namespaces must be names of namespaces, separated by commas: %q", f.namespaces)
	case f.hubPollInterval < time.Second:
		return errors.New("--hub-poll-interval must be at least 1s")
	case f.orphanAfter <= 0:
		return errors.New("--orphan-after must be above 0; to wait longer, set a long time, such as 8760h")
	case f.maxConcurrentReconciles < 1:
		return errors.New("--max-concurrent-reconciles must be at least 1")
	}
	if _, err := labels.Parse(f.watchLabelSelector); err != nil {
		return fmt.Errorf("--watch-label-selector: %w", err)
	}
	// A key that nobody has shows what is wrong with the rest.
	_, err := hub.New(hub.Config{BaseURL: f.hubURL, AllowInsecure: f.hubAllowInsecure, APIKey: hub.NewSecret("none")})
	if err != nil {
		return fmt.Errorf("--hub-url: %w", err)
	}
	_, err = f.transport()
	return err
}

func (f *operatorFlags) restConfig() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("no access to a cluster: %w; name a kubeconfig with --kubeconfig", err)
	}
	// The API server has a budget of its own for us.
	config.QPS = -1
	return config, nil
}

func (f *operatorFlags) manager(config *rest.Config, a *access) (manager.Manager, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	selector, err := labels.Parse(f.watchLabelSelector)
	if err != nil {
		return nil, err
	}
	serving := metricsserver.Options{
		BindAddress: f.metricsBindAddress, SecureServing: f.metricsSecure, TLSOpts: []func(*tls.Config){withoutHTTP2},
	}
	if f.metricsSecure {
		serving.FilterProvider = filters.WithAuthenticationAndAuthorization
	}
	namespaces := map[string]cache.Config{}
	for _, namespace := range a.served {
		namespaces[namespace] = cache.Config{}
	}
	shutdown := shutdownTime
	return ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Metrics:                       serving,
		HealthProbeBindAddress:        "0", // see addProbes
		PprofBindAddress:              f.pprofBindAddress,
		LeaderElection:                f.leaderElect,
		LeaderElectionID:              f.leaseName(),
		LeaderElectionNamespace:       f.leaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       &shutdown,
		Cache: cache.Options{
			DefaultNamespaces:        namespaces,
			DefaultWatchErrorHandler: a.failed,
			DefaultTransform:         controller.Strip,
			ByObject:                 map[client.Object]cache.ByObject{&v1alpha1.Chatt2Webhook{}: {Label: selector}},
		},
	})
}

// withoutHTTP2 has a server speak HTTP/1.1 only: in HTTP/2, one client can start and cancel requests faster than a
// server bounds them.
func withoutHTTP2(config *tls.Config) { config.NextProtos = []string{"http/1.1"} }

// leaseName is the same for all replicas of a shard and for no other.
func (f *operatorFlags) leaseName() string {
	if f.watchLabelSelector == "" && len(f.namespaces) == 0 {
		return controller.Name
	}
	namespaces := slices.Compact(slices.Sorted(slices.Values(f.namespaces)))
	selector := f.watchLabelSelector
	if parsed, err := labels.Parse(selector); err == nil {
		selector = parsed.String() // the same in whatever order it is written
	}
	sum := sha256.Sum256([]byte(strings.Join(append(namespaces, selector), "\n")))
	return controller.Name + "-" + hex.EncodeToString(sum[:4])
}

// setup puts the operator together.
func (f *operatorFlags) setup(mgr manager.Manager, a *access) error {
	transport, err := f.transport()
	if err != nil {
		return err
	}
	look := &firstLook{RoundTripper: transport}
	operator := controller.Operator{
		Options: controller.Options{
			Settings: plan.Settings{
				SettleTime: f.hubSettleTime, OrphanAfter: f.orphanAfter, PollInterval: f.hubPollInterval,
			},
			Namespaces: a.served, IsShard: f.watchLabelSelector != "" || len(f.namespaces) > 0,
			MaxConcurrentReconciles: f.maxConcurrentReconciles, WatchSecrets: f.watchSecrets,
			ProtectAPIKeySecrets: f.protectAPIKeySecrets, HeaderSecretsNeedOptIn: f.headerSecretsNeedOptIn,
		},
		Hub: hub.Config{
			BaseURL: f.hubURL, AllowInsecure: f.hubAllowInsecure, Transport: look, Timeout: f.hubTimeout,
			UserAgent: controller.Name + "/" + version(),
		},
		QPS: f.hubQPS, Burst: f.hubBurst, Registry: metrics.Registry, Now: time.Now,
	}
	if !f.watchSecrets {
		operator.Options.Settings.SecretRecheck = secretRecheck
	}
	return errors.Join(
		operator.SetupWithManager(mgr),
		mgr.Add(a),
		addProbes(mgr, f.healthProbeBindAddress, readyChecks(mgr, look, a)...),
	)
}

// transport is shared by the clients of all API keys.
func (f *operatorFlags) transport() (http.RoundTripper, error) {
	var roots *x509.CertPool
	if f.hubCAFile != "" {
		pem, err := os.ReadFile(f.hubCAFile)
		if err != nil {
			return nil, err
		}
		if roots = x509.NewCertPool(); !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--hub-ca-file %s holds no certificate", f.hubCAFile)
		}
	}
	return hub.NewTransport(hub.TransportConfig{RootCAs: roots}), nil
}
