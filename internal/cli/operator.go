package cli

import (
	goflag "flag"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub"
)

// operatorFlags are how the operator was started.
type operatorFlags struct {
	// settings are the values of all flags, to be logged.
	settings map[string]string

	hubURL                  string
	hubAllowInsecure        bool
	hubCAFile               string
	hubPollInterval         time.Duration
	hubQPS                  float64
	hubBurst                int
	hubTimeout              time.Duration
	hubSettleTime           time.Duration
	maxConcurrentReconciles int
	namespaces              []string
	watchLabelSelector      string
	orphanAfter             time.Duration
	watchSecrets            bool
	protectAPIKeySecrets    bool
	headerSecretsNeedOptIn  bool
	leaderElect             bool
	leaderElectionNamespace string
	metricsBindAddress      string
	metricsSecure           bool
	healthProbeBindAddress  string
	pprofBindAddress        string
	kubeconfig              string
}

// newOperatorCommand is the operator as a subcommand.
func newOperatorCommand() *cobra.Command {
	var f operatorFlags
	cmd := &cobra.Command{
		Use:   "operator",
		Short: "Run the operator (the default)",
		Long: "Run the operator: it keeps the webhooks of the Hub as Chatt2Webhook resources declare them.\n" +
			"Every flag can be set by an environment variable, such as CHATT2_HUB_URL.",
		Args: cobra.NoArgs, SilenceUsage: true,
	}
	f.add(cmd.Flags())
	zapOptions := zap.Options{}
	zapFlags := goflag.NewFlagSet("zap", goflag.ContinueOnError)
	zapOptions.BindFlags(zapFlags)
	cmd.Flags().AddGoFlagSet(zapFlags)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := bindEnvironment(cmd, "CHATT2_"); err != nil {
			return err
		}
		ctrl.SetLogger(controller.SafeLogger(zap.New(zap.UseFlagOptions(&zapOptions))))
		f.settings = settings(cmd.Flags())
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		return f.run(ctx)
	}
	return cmd
}

func (f *operatorFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.hubURL, "hub-url", "https://api.chatt2.me", "where the Hub is")
	flags.BoolVar(&f.hubAllowInsecure, "hub-allow-insecure", false,
		"permit http in --hub-url; API keys and signing secrets can then be read on the way")
	flags.StringVar(&f.hubCAFile, "hub-ca-file", "",
		"PEM file of the authorities that may vouch for the Hub, instead of those of the system; read at the start")
	flags.DurationVar(&f.hubPollInterval, "hub-poll-interval", time.Minute,
		"how often the webhooks of an API key are listed; less often where that would take a fifth of --hub-qps")
	flags.Float64Var(&f.hubQPS, "hub-qps", 10, "calls to the Hub a second with one API key")
	flags.IntVar(&f.hubBurst, "hub-burst", 20, "calls to the Hub at once with one API key")
	flags.DurationVar(&f.hubTimeout, "hub-timeout", 10*time.Second, "how long one call to the Hub may take")
	flags.DurationVar(&f.hubSettleTime, "hub-settle-time", 30*time.Second,
		"how long after a call was given up the Hub may still carry it out; must be longer than --hub-timeout")
	flags.IntVar(&f.maxConcurrentReconciles, "max-concurrent-reconciles", 16,
		"how many resources are worked on at once")
	flags.StringSliceVar(&f.namespaces, "namespaces", nil, "namespaces to watch; all when empty")
	flags.StringVar(&f.watchLabelSelector, "watch-label-selector", "",
		"resources to work on, by label, where several operators share a cluster")
	flags.DurationVar(&f.orphanAfter, "orphan-after", 15*time.Minute,
		"how long a deletion waits for a usable API key, or while the Hub refuses it, before it leaves the webhook "+
			"behind")
	flags.BoolVar(&f.watchSecrets, "watch-secrets", true,
		"watch the metadata of Secrets; without it, and without the permission to list and watch them, those that "+
			"somebody waits for are looked at every minute")
	flags.BoolVar(&f.protectAPIKeySecrets, "protect-api-key-secrets", true,
		"keep a Secret with an API key, by a finalizer, while a resource refers to it")
	flags.BoolVar(&f.headerSecretsNeedOptIn, "header-secrets-need-opt-in", false,
		"let headers take values only from Secrets annotated with hub.chatt2.me/allow-as-header=true")
	flags.BoolVar(&f.leaderElect, "leader-elect", false, "run as one of several replicas, of which one acts")
	flags.StringVar(&f.leaderElectionNamespace, "leader-election-namespace", "",
		"namespace of the lease; that of the Pod when empty")
	flags.StringVar(&f.metricsBindAddress, "metrics-bind-address", "0", "address of the metrics; 0 for none")
	flags.BoolVar(&f.metricsSecure, "metrics-secure", true,
		"serve metrics by HTTPS, to those whom the API server lets get the non-resource URL /metrics")
	flags.StringVar(&f.healthProbeBindAddress, "health-probe-bind-address", ":8081",
		"address of /healthz and /readyz; 0 for none")
	flags.StringVar(&f.pprofBindAddress, "pprof-bind-address", "0",
		"address of /debug/pprof, without authentication; 0 for none")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig of the cluster; inside of one its own access is used")
}

// settings returns the values of the flags, however they were set. A URL is shown without what may hold credentials.
func settings(flags *pflag.FlagSet) map[string]string {
	values := map[string]string{}
	flags.VisitAll(func(flag *pflag.Flag) { values[flag.Name] = flag.Value.String() })
	delete(values, "help")
	values["hub-url"] = hub.EndpointToShow(values["hub-url"])
	return values
}
