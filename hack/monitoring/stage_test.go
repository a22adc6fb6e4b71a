package monitoring_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/cluster"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
)

// stage is a Hub, an endpoint and a cluster with webhooks.
type stage struct {
	*testing.T
	client.Client
	hub      *simulatortest.Hub
	endpoint string
}

// The two Applications, and the Secrets with their keys.
const (
	shop    = "shop"
	partner = "partner"
)

func newStage(t *testing.T, c *cluster.Cluster) *stage {
	t.Helper()
	scheme := clientgoscheme.Scheme
	must(t, v1alpha1.AddToScheme(scheme))
	admin, err := client.New(c.Config, client.Options{Scheme: scheme})
	must(t, err)
	s := &stage{T: t, Client: admin, hub: simulatortest.Start(t, simulator.Options{})}
	server := httptest.NewTLSServer(http.HandlerFunc(s.answer))
	t.Cleanup(server.Close)
	s.endpoint = server.URL
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: shop}})
	for _, name := range []string{shop, partner} {
		s.hub.AddApplication(name, "key-of-"+name)
		s.create(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: name}, Data: map[string][]byte{"apiKey": []byte("key-of-" + name)},
		})
	}
	return s
}

// answer is the endpoint: /unverified fails the handshake, and /failing refuses deliveries.
func (*stage) answer(w http.ResponseWriter, r *http.Request) {
	token := r.Header.Get("X-Validation-Token")
	switch {
	case r.URL.Path == "/unverified":
		w.WriteHeader(http.StatusNotFound)
	case token != "":
		io.WriteString(w, token)
	case r.URL.Path == "/failing":
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func (s *stage) create(object client.Object) {
	s.Helper()
	must(s.T, s.Client.Create(s.Context(), object))
}

// webhook declares a webhook of an Application.
func (s *stage) webhook(application, name string, change ...func(*v1alpha1.Chatt2Webhook)) *v1alpha1.Chatt2Webhook {
	s.Helper()
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: name}}
	c.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: name, Endpoint: s.endpoint + "/" + name, EventType: v1alpha1.EventTypeMessage,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: application},
	}
	for _, do := range change {
		do(c)
	}
	s.create(c)
	return c
}

func signed(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = true }

// rotated has a signed webhook's secret exchanged as often as can be.
func rotated(c *v1alpha1.Chatt2Webhook) {
	c.Spec.SigningSecret = &v1alpha1.SigningSecret{Rotation: v1alpha1.Rotation{Interval: "10m", Overlap: "1m"}}
}

// ready waits until the webhooks are ready.
func (s *stage) ready(all ...*v1alpha1.Chatt2Webhook) {
	s.Helper()
	for _, c := range all {
		eventually(s.T, c.Name+" is ready", func() bool { return s.now(c).IsReady() })
	}
}

func (s *stage) now(c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
	s.Helper()
	now := &v1alpha1.Chatt2Webhook{}
	must(s.T, s.Get(s.Context(), client.ObjectKeyFromObject(c), now))
	return now
}

// annotate acts as a user does.
func (s *stage) annotate(c *v1alpha1.Chatt2Webhook, key, value string) {
	s.Helper()
	before := s.now(c)
	after := before.DeepCopy()
	after.Annotations = map[string]string{key: value}
	for k, v := range before.Annotations {
		if k != key {
			after.Annotations[k] = v
		}
	}
	must(s.T, s.Patch(s.Context(), after, client.MergeFrom(before)))
}

// meddle changes webhooks on the Hub again and again, like a script that somebody forgot.
func (s *stage) meddle(all ...*v1alpha1.Chatt2Webhook) {
	ctx := s.Context()
	var ids []string
	for _, c := range all {
		ids = append(ids, s.now(c).Status.WebhookID)
	}
	protocol := string(v1alpha1.JWT)
	ended := make(chan error, 1)
	again, stop := context.WithCancel(ctx)
	s.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			s.Error(err)
		}
	})
	go func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-again.Done():
				ended <- nil
				return
			case <-tick.C:
			}
			var wrong []error
			for _, id := range ids {
				_, err := s.hub.ChangeByHand(id, simulator.Change{AuthenticationProtocol: &protocol})
				wrong = append(wrong, err)
			}
			if err := errors.Join(wrong...); err != nil {
				ended <- err
				return
			}
		}
	}()
}

// scraper gives the token of a ServiceAccount that may read metrics by the role of config/rbac.
func (s *stage) scraper(c *cluster.Cluster) string {
	s.Helper()
	role := &rbacv1.ClusterRole{}
	must(s.T, yaml.UnmarshalStrict(read(s.T, root("config", "rbac", "metrics_reader_role.yaml")), role))
	s.create(role)
	s.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: shop, Name: "prometheus"}})
	s.create(&rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "prometheus"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: shop, Name: "prometheus"}},
	})
	access, err := c.ServiceAccount(s.Context(), shop, "prometheus")
	must(s.T, err)
	return strings.TrimSpace(access.BearerToken)
}
