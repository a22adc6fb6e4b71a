package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
	"github.com/chatt2me/webhook-operator/internal/receiver"
)

// TestTheOperatorLivesByTheRightsOfTheChart starts it with the flags and the ServiceAccount that the chart gives it, and
// takes a webhook through its life.
func TestTheOperatorLivesByTheRightsOfTheChart(t *testing.T) {
	needTools(t)
	for name, values := range map[string]string{
		"everywhere":              "replicas=1",
		"in some namespaces":      "namespaces={NAMESPACE},rbac.aggregate=false,metrics.secure=false",
		"without a watch":         "secrets.watch=false",
		"in some without a watch": "namespaces={NAMESPACE},secrets.watch=false",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "helm")
			s.helm("install", release, chartFolder(), "--set", strings.ReplaceAll(values, "NAMESPACE", s.namespace))
			s.established()
			defer s.helm("uninstall", release)
			hub := simulatortest.Start(t, simulator.Options{})
			log := s.startOperator(hub)

			s.lifeOfAWebhook(hub)

			if at := strings.Index(log(), "forbidden"); at >= 0 {
				t.Errorf("the operator lacks a right: %.1000s", log()[at:])
			}
		})
	}
}

// startOperator starts it as the Deployment would, but for addresses, and gives what it has logged so far.
func (s *site) startOperator(hub *simulatortest.Hub) (log func() string) {
	s.Helper()
	access, err := shared.ServiceAccount(s.Context(), s.namespace, release)
	s.Expect(err).NotTo(HaveOccurred())
	s.mayAct(access)
	kubeconfig, err := cluster.Kubeconfig(access)
	s.Expect(err).NotTo(HaveOccurred())
	folder := s.TempDir()
	for name, content := range map[string][]byte{"kubeconfig": kubeconfig, "ca.crt": hub.CAPEM} {
		s.Expect(os.WriteFile(filepath.Join(folder, name), content, 0o600)).To(Succeed())
	}
	args := append(s.args(), "--kubeconfig="+filepath.Join(folder, "kubeconfig"),
		"--hub-url="+hub.URL, "--hub-ca-file="+filepath.Join(folder, "ca.crt"), "--hub-poll-interval=1s",
		"--leader-election-namespace="+s.namespace, "--metrics-bind-address=0", "--health-probe-bind-address=127.0.0.1:0")
	cmd := exec.Command(binary, args...)
	cmd.Env = []string{"HOME=" + folder}
	out := &buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	s.Expect(cmd.Start()).To(Succeed())
	s.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		_ = cmd.Wait()
		if s.Failed() {
			s.Log(out.String())
		}
	})
	return out.String
}

// mayAct waits until the API server has taken note of the bindings, so that no refusal is due to the test.
func (s *site) mayAct(access *rest.Config) {
	s.Helper()
	operator, err := client.New(access, client.Options{Scheme: s.Scheme()})
	s.Expect(err).NotTo(HaveOccurred())
	s.Eventually(func() error {
		return operator.List(s.Context(), &v1alpha1.Chatt2WebhookList{}, client.InNamespace(s.namespace))
	}, "30s").Should(Succeed())
	s.Eventually(func() bool {
		err := operator.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: "none"}, &coordinationv1.Lease{})
		return apierrors.IsNotFound(err)
	}, "30s").Should(BeTrue(), "leases")
}

// lifeOfAWebhook is registered, verified and signed, rotated and deleted.
func (s *site) lifeOfAWebhook(hub *simulatortest.Hub) {
	s.Helper()
	const key = "chart-test-key"
	app := hub.AddApplication("main", key)
	secret := &corev1.Secret{StringData: map[string]string{"apiKey": key}}
	secret.Namespace, secret.Name = s.namespace, "key"
	s.Expect(s.Create(s.Context(), secret)).To(Succeed())
	webhook := &v1alpha1.Chatt2Webhook{}
	webhook.Namespace, webhook.Name = s.namespace, "orders"
	webhook.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: "Orders", Endpoint: s.endpoint(), EventType: v1alpha1.EventTypeMessage, RequiresSignature: true,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: secret.Name},
	}
	s.Expect(s.Create(s.Context(), webhook)).To(Succeed())
	s.Eventually(func() bool {
		s.Expect(s.Get(s.Context(), client.ObjectKeyFromObject(webhook), webhook)).To(Succeed())
		return webhook.IsReady()
	}, "60s", "100ms").Should(BeTrue(), "Ready")

	before := webhook.DeepCopy()
	webhook.Annotations = map[string]string{v1alpha1.AnnotationRotateRequestedAt: "now"}
	s.Expect(s.Patch(s.Context(), webhook, client.MergeFrom(before))).To(Succeed())
	s.Eventually(func() string {
		s.Expect(s.Get(s.Context(), client.ObjectKeyFromObject(webhook), webhook)).To(Succeed())
		return webhook.Status.LastHandledRotateAt
	}, "60s", "100ms").Should(Equal("now"), "rotated")

	s.Expect(s.Delete(s.Context(), webhook)).To(Succeed())
	s.Eventually(func() bool {
		return apierrors.IsNotFound(s.Get(s.Context(), client.ObjectKeyFromObject(webhook), webhook))
	}, "60s", "100ms").Should(BeTrue(), "gone")
	s.Expect(hub.Webhooks(app.ID)).To(BeEmpty())
	s.Expect(s.Delete(s.Context(), secret)).To(Succeed())
	s.Eventually(func() bool {
		return apierrors.IsNotFound(s.Get(s.Context(), client.ObjectKeyFromObject(secret), secret))
	}, "60s", "100ms").Should(BeTrue(), "the API key is released")
}

// endpoint serves the reference receiver.
func (s *site) endpoint() string {
	s.Helper()
	r, err := receiver.New(receiver.Options{Path: receiver.DefaultPath, Now: time.Now})
	s.Expect(err).NotTo(HaveOccurred())
	server := httptest.NewTLSServer(r.Handler())
	s.Cleanup(server.Close)
	return server.URL + receiver.DefaultPath
}

// buffer is a text that a process writes while a test reads it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write is for package io.
func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String is all that was written.
func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
