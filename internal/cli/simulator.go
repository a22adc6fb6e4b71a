package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

type simulatorFlags struct {
	bindAddress      string
	adminBindAddress string
	disableAdmin     bool
	certFile         string
	keyFile          string
	applications     []string
	applicationsFile string
	endpointCAFile   string
	variants         []string
	latency          time.Duration
	rateLimit        float64
}

// newSimulatorCommand is the Hub's simulator as a subcommand.
func newSimulatorCommand() *cobra.Command {
	var f simulatorFlags
	cmd := &cobra.Command{
		Use:   "hub-simulator",
		Short: "Run a Hub in memory, for tests, the demo and a trial without an Application",
		Long: "Run the Hub Chatt2.me in memory: real handshakes, signed deliveries, logs and retry, with faults on\n" +
			"demand.\n" +
			"The admin API under /_sim/ has no authentication: give it an address of its own, or none.\n" +
			"Every flag can be set by an environment variable, such as CHATT2_SIMULATOR_BIND_ADDRESS.",
		Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := bindEnvironment(cmd, "CHATT2_SIMULATOR_"); err != nil {
				return err
			}
			return f.run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.bindAddress, "bind-address", "127.0.0.1:8089", "address of the Hub's API")
	flags.StringVar(&f.adminBindAddress, "admin-bind-address", "",
		"address of the admin API; by default that of the Hub's API")
	flags.BoolVar(&f.disableAdmin, "disable-admin", false, "serve no admin API")
	flags.StringVar(&f.certFile, "tls-cert-file", "",
		"PEM file of a serving certificate; without it the Hub serves plain HTTP")
	flags.StringVar(&f.keyFile, "tls-private-key-file", "", "PEM file of its private key")
	flags.StringArrayVar(&f.applications, "application", nil, "an Application as name=key; can be repeated")
	flags.StringVar(&f.applicationsFile, "applications-file", "",
		"YAML file with a list applications of {name, apiKey}, which keeps keys off the command line")
	flags.StringVar(&f.endpointCAFile, "endpoint-ca-file", "",
		"PEM file of the authorities that endpoints are trusted by, instead of those of the system")
	flags.StringArrayVar(&f.variants, "variant", nil,
		"a variant as name=value, such as labelUpdate=Ignored; can be repeated")
	flags.DurationVar(&f.latency, "latency", 0, "time added to every call")
	flags.Float64Var(&f.rateLimit, "rate-limit", 0, "calls a second for each API key; 0 is no limit")
	return cmd
}

func (f *simulatorFlags) run(cmd *cobra.Command) error {
	if f.latency < 0 || !(f.rateLimit >= 0) {
		return errors.New("--latency and --rate-limit must not be negative")
	}
	options := simulator.Options{
		Latency: f.latency, RateLimit: f.rateLimit, SeparateAdmin: f.disableAdmin || f.adminBindAddress != "",
		Logger: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)),
	}
	if err := f.readOptions(&options); err != nil {
		return err
	}
	hub := simulator.New(options)
	defer hub.Close()
	if err := f.addApplications(hub); err != nil {
		return err
	}
	api := listener{address: f.bindAddress, handler: hub.Handler()}
	if f.certFile != "" || f.keyFile != "" {
		pair, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
		if err != nil {
			return fmt.Errorf("loading the serving certificate: %w", err)
		}
		api.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	listeners := []listener{api}
	if f.adminBindAddress != "" && !f.disableAdmin {
		listeners = append(listeners, listener{address: f.adminBindAddress, handler: hub.AdminHandler()})
	}
	return serve(cmd.Context(), cmd.OutOrStdout(), listeners...)
}

func (f *simulatorFlags) readOptions(o *simulator.Options) error {
	for _, pair := range f.variants {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("--variant %q is not name=value", pair)
		}
		if err := o.Variants.Set(name, value); err != nil {
			return fmt.Errorf("--variant %s: %w", name, err)
		}
	}
	if f.endpointCAFile == "" {
		return nil
	}
	pem, err := os.ReadFile(f.endpointCAFile)
	if err != nil {
		return fmt.Errorf("reading --endpoint-ca-file: %w", err)
	}
	o.EndpointCAs = x509.NewCertPool()
	if !o.EndpointCAs.AppendCertsFromPEM(pem) {
		return errors.New("--endpoint-ca-file holds no certificate")
	}
	return nil
}

// addApplications adds those of the file, then those of the flags. No error shows a key.
func (f *simulatorFlags) addApplications(hub *simulator.Simulator) error {
	if f.applicationsFile != "" {
		content, err := os.ReadFile(f.applicationsFile)
		if err != nil {
			return fmt.Errorf("reading --applications-file: %w", err)
		}
		var file struct {
			Applications []struct {
				Name   string `json:"name"`
				APIKey string `json:"apiKey"`
			} `json:"applications"`
		}
		if yaml.UnmarshalStrict(content, &file) != nil {
			return errors.New("--applications-file is no YAML with a list applications of {name, apiKey}")
		}
		for _, a := range file.Applications {
			if a.Name == "" || a.APIKey == "" {
				return errors.New("--applications-file: every application needs name and apiKey")
			}
			hub.AddApplication(a.Name, a.APIKey)
		}
	}
	for _, pair := range f.applications {
		name, key, ok := strings.Cut(pair, "=")
		if !ok || name == "" || key == "" {
			return errors.New("--application is not name=key")
		}
		hub.AddApplication(name, key)
	}
	return nil
}
