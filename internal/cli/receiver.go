package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/chatt2me/webhook-operator/internal/receiver"
)

type receiverFlags struct {
	bindAddress string
	certFile    string
	keyFile     string
	headers     []string
	options     receiver.Options
}

// newReceiverCommand is the reference endpoint as a subcommand.
func newReceiverCommand() *cobra.Command {
	var f receiverFlags
	cmd := &cobra.Command{
		Use:   "receiver",
		Short: "Run the reference endpoint: handshake and signature check",
		Long: "Run the reference endpoint of a Chatt2Webhook: it answers the Hub's handshake and checks the\n" +
			"signature of each delivery. It writes one line of JSON for each to standard output. GET /healthz\n" +
			"and /stats serve probes and tests.\n" +
			"Every flag can be set by an environment variable, such as CHATT2_RECEIVER_BIND_ADDRESS.",
		Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := bindEnvironment(cmd, "CHATT2_RECEIVER_"); err != nil {
				return err
			}
			return f.run(cmd, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.bindAddress, "bind-address", "127.0.0.1:8443", "address to listen on")
	flags.StringVar(&f.certFile, "tls-cert-file", "", "PEM file of the serving certificate, read again when it changes")
	flags.StringVar(&f.keyFile, "tls-private-key-file", "", "PEM file of its private key")
	flags.StringVar(&f.options.Path, "path", receiver.DefaultPath, "path of the endpoint")
	flags.StringVar(&f.options.SigningSecretDir, "signing-secret-dir", "",
		"directory with the files secret and previousSecret, read for each delivery; "+
			"without it unsigned deliveries are accepted")
	flags.StringVar(&f.options.HandshakeContentType, "handshake-content-type", receiver.TextHandshake,
		"how to answer a handshake: text/plain or application/json")
	flags.StringArrayVar(&f.headers, "require-header", nil,
		"a header=file that every call must carry, the file holding the value; can be repeated")
	return cmd
}

func (f *receiverFlags) run(cmd *cobra.Command, out io.Writer) error {
	if f.certFile == "" || f.keyFile == "" {
		return errors.New("--tls-cert-file and --tls-private-key-file are required: the Hub takes HTTPS endpoints only")
	}
	certificate, err := receiver.LoadCertificate(f.certFile, f.keyFile)
	if err != nil {
		return err
	}
	f.options.Out = out
	f.options.RequiredHeaders = map[string]string{}
	for _, pair := range f.headers {
		name, file, ok := strings.Cut(pair, "=")
		if !ok || name == "" || file == "" {
			return fmt.Errorf("--require-header %q is not header=file", pair)
		}
		f.options.RequiredHeaders[name] = file
	}
	endpoint, err := receiver.New(f.options)
	if err != nil {
		return err
	}
	// Standard output is for the JSON lines alone.
	return serve(cmd.Context(), cmd.ErrOrStderr(), listener{
		address: f.bindAddress, handler: endpoint.Handler(),
		tls: &tls.Config{GetCertificate: certificate.Get, MinVersion: tls.VersionTLS12},
	})
}
