package controller_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/controller"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// newKeySecret is a Secret with the API key of the world, as a client that replaces Secrets creates it.
func (w *world) newKeySecret() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "api-key"}, Data: map[string][]byte{"apiKey": []byte(w.apiKey)},
	}
}

func TestAnAPIKeySecretThatIsReplacedIsReleasedAndReported(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed)
	before := w.ready(c)
	old := w.secret("api-key")
	w.Expect(w.Delete(w.Context(), old)).To(Succeed())
	w.eventually(c, "the deletion is in the message", func(now *v1alpha1.Chatt2Webhook) bool {
		return strings.Contains(findCondition(now, v1alpha1.ConditionReady).Message, `the Secret "api-key" with the API key`)
	})
	w.gone(old)
	w.reason(c, v1alpha1.ConditionReady, v1alpha1.ReasonAPIKeyNotFound)
	w.create(w.newKeySecret())
	now := w.ready(c)
	w.Expect(now.Status.WebhookID).To(Equal(before.Status.WebhookID))
	w.holdsLiveSecret(now)
	w.Expect(w.hub.Count("createWebhook")).To(Equal(1))
	for _, object := range []client.Object{old, c} {
		w.Eventually(func() []string { return w.events(object) }).Should(
			ContainElement(v1alpha1.EventAPIKeySecretDeleted), object.GetName())
	}
	w.Eventually(func() []string { return w.secret("api-key").Finalizers }).Should(
		ContainElement(v1alpha1.APIKeyFinalizer), "the new Secret is protected")
}

// A namespace that is deleted deletes the Secret before the resources, whichever shard first protected it.
func TestAShardKeepsTheAPIKeySecretOfAnotherForAWhile(t *testing.T) {
	w := newWorld(t)
	w.run()
	w.ready(w.webhook("orders"))
	key := w.secret("api-key")
	w.Expect(key.Finalizers).To(ContainElement(v1alpha1.APIKeyFinalizer))
	w.stop()

	now := time.Now()
	guard := w.guardOfAnotherShard(func() time.Time { return now })
	request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(key)}
	decide := func(after time.Duration) reconcile.Result {
		now = now.Add(after)
		result, err := guard.Reconcile(w.Context(), request)
		w.Expect(err).NotTo(HaveOccurred())
		return result
	}
	decide(0)
	w.Expect(decide(time.Minute).RequeueAfter).To(BeZero(), "it is used elsewhere")
	w.Expect(w.Delete(w.Context(), key)).To(Succeed())
	for _, wait := range []time.Duration{time.Second, 3 * time.Second} {
		w.Expect(decide(wait).RequeueAfter).To(BeNumerically(">", 0))
		w.Expect(w.secret("api-key")).NotTo(BeNil(), "the resources may be deleted a moment later")
	}
	decide(5 * time.Second)
	w.gone(key)
}

// guardOfAnotherShard is that of an operator in whose cache no resource uses a Secret.
func (w *world) guardOfAnotherShard(now func() time.Time) *controller.APIKeyGuard {
	w.Helper()
	live, err := client.NewWithWatch(shared.Config, client.Options{Scheme: scheme})
	w.Expect(err).NotTo(HaveOccurred())
	return &controller.APIKeyGuard{
		Client: interceptor.NewClient(live, interceptor.Funcs{
			List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return nil },
		}),
		Live: live, Recorder: events.NewFakeRecorder(9), Now: now,
	}
}

func TestADeletionEndsThoughTheAPIKeySecretHasJustGone(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	old := w.secret("api-key")
	w.Expect(w.Delete(w.Context(), old)).To(Succeed())
	w.gone(old)
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.gone(c)
	w.Expect(w.onHub()).To(BeEmpty())
	w.Expect(w.events(c)).NotTo(ContainElement(v1alpha1.EventOrphaned))
}

// TestTwoReleasesAtOnceKeepTheNewSecret: two shards release a Secret at the same moment, and a client creates the new
// one as soon as it can. The API server answers the last finalizer's removal with a deletion, for both.
func TestTwoReleasesAtOnceKeepTheNewSecret(t *testing.T) {
	w := newWorld(t)
	const rounds, clients = 120, 8
	lost := 0
	for round := range rounds {
		old := w.newKeySecret()
		old.Name, old.Finalizers = fmt.Sprintf("key-%d", round), []string{v1alpha1.APIKeyFinalizer}
		w.create(old)
		w.Expect(w.Delete(w.Context(), old)).To(Succeed())

		var work sync.WaitGroup
		for range 2 {
			guard := w.guardOfAnotherShard(time.Now)
			work.Go(func() {
				_, err := guard.Reconcile(w.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(old)})
				if err != nil {
					t.Error(err)
				}
			})
		}
		var isCreated atomic.Bool
		for range clients {
			work.Go(func() {
				for !isCreated.Load() {
					replacement := w.newKeySecret()
					replacement.Namespace, replacement.Name = w.namespace, old.Name
					err := w.Client.Create(w.Context(), replacement)
					if err == nil {
						isCreated.Store(true)
					}
				}
			})
		}
		work.Wait()
		if w.secret(old.Name) == nil {
			lost++
		}
	}
	w.Expect(lost).To(BeZero(), "new Secrets that were deleted")
}

// TestOnlyASecretWithAnAcceptedAPIKeyIsProtected: whoever may create a resource may not lock any Secret by it.
func TestOnlyASecretWithAnAcceptedAPIKeyIsProtected(t *testing.T) {
	w := newWorld(t)
	w.run()
	for name, data := range map[string]string{"certificate": "-----BEGIN CERTIFICATE-----\nMII", "password": "letmein"} {
		w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string][]byte{"apiKey": []byte(data)}})
	}
	named := func(secret string) func(*v1alpha1.Chatt2Webhook) {
		return func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Name = secret }
	}
	w.reason(w.webhook("a", named("certificate")), v1alpha1.ConditionStalled, v1alpha1.ReasonAPIKeyInvalid)
	w.reason(w.webhook("b", named("password")), v1alpha1.ConditionStalled, v1alpha1.ReasonAPIKeyRefused)
	w.reason(w.webhook("c", func(c *v1alpha1.Chatt2Webhook) { c.Spec.APIKeySecretRef.Key = "nothing" }),
		v1alpha1.ConditionStalled, v1alpha1.ReasonAPIKeyInvalid)
	for _, name := range []string{"certificate", "password", "api-key"} {
		w.Expect(w.secret(name).Finalizers).To(BeEmpty(), name)
	}
}

func TestUnusedAPIKeySecretsAreReleasedBeforeTheProcessEnds(t *testing.T) {
	w := newWorld(t)
	w.run()
	const n = 5
	var all []*v1alpha1.Chatt2Webhook
	for i := range n {
		s := w.newKeySecret()
		s.Name = fmt.Sprintf("key-%d", i)
		w.create(s)
		all = append(all, w.webhook(fmt.Sprintf("orders-%d", i), func(c *v1alpha1.Chatt2Webhook) {
			c.Spec.APIKeySecretRef.Name = s.Name
		}))
	}
	for _, c := range all {
		w.ready(c)
		w.Expect(w.secret(c.Spec.APIKeySecretRef.Name).Finalizers).NotTo(BeEmpty())
	}
	w.Expect(w.DeleteAllOf(w.Context(), &v1alpha1.Chatt2Webhook{}, client.InNamespace(w.namespace))).To(Succeed())
	for _, c := range all {
		w.gone(c)
	}
	w.stop()
	for _, c := range all {
		w.Expect(w.secret(c.Spec.APIKeySecretRef.Name).Finalizers).To(BeEmpty(), "the process has ended")
	}
}

// denySecrets has an admission policy deny every change of a Secret of the world, until allow is called.
func (w *world) denySecrets() (allow func()) {
	w.Helper()
	meta := metav1.ObjectMeta{Name: w.namespace}
	policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: meta, Spec: admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionv1.MatchResources{
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": w.namespace}},
			ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{admissionv1.Update},
				Rule: admissionv1.Rule{
					APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"secrets"},
				},
			}}},
		},
		// As a careless policy does, it quotes the value.
		Validations: []admissionv1.Validation{{
			Expression: "false", MessageExpression: "'denied: ' + object.data['apiKey']",
		}},
	}}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: meta, Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: w.namespace, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}
	w.Expect(w.Client.Create(w.Context(), policy)).To(Succeed())
	w.Expect(w.Client.Create(w.Context(), binding)).To(Succeed())
	allow = func() {
		_ = w.Delete(context.Background(), binding)
		_ = w.Delete(context.Background(), policy)
	}
	w.Cleanup(allow)
	w.Eventually(func() bool {
		s := w.secret("api-key")
		s.Annotations = map[string]string{"probe": "policy"}
		return apierrors.IsInvalid(w.Update(w.Context(), s, client.DryRunAll))
	}).Should(BeTrue(), "the policy is not enforced")
	return allow
}

func TestAnAdmissionPolicyThatDeniesTheInUseFinalizerStopsNothing(t *testing.T) {
	w := newWorld(t)
	var patches atomic.Int32
	w.intercept(func(r *http.Request) *http.Response {
		if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/secrets/api-key") {
			patches.Add(1)
		}
		return nil
	})
	allow := w.denySecrets()
	w.run()
	c := w.webhook("orders")
	w.ready(c)
	w.Eventually(func() []string { return w.events(c) }).Should(ContainElement(v1alpha1.EventAPIKeyUnprotected))
	for i := range 10 {
		w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, fmt.Sprint(i))
		w.eventually(c, "the request is answered", func(now *v1alpha1.Chatt2Webhook) bool {
			return now.Status.LastHandledReconcileAt == fmt.Sprint(i)
		})
	}
	w.Expect(patches.Load()).To(BeNumerically("<", 8), "the refused write is repeated with every look")
	allow()
	w.Eventually(func() []string { return w.secret("api-key").Finalizers }).Should(
		ContainElement(v1alpha1.APIKeyFinalizer), "the policy is gone")
}

// A finalizer of another controller may keep a resource for long that needs no API key any more.
func TestAResourceThatOnlyAForeignFinalizerKeepsDoesNotKeepTheAPIKeySecret(t *testing.T) {
	const foreign = "example.com/backup"
	w := newWorld(t)
	w.Expect(w.hub.AddFault(simulator.Fault{
		Kind: simulator.ErrorBeforeCommit, Status: http.StatusServiceUnavailable,
		Match: simulator.Match{Operation: "deleteWebhook"},
	})).To(Succeed())
	w.run()
	c := w.ready(w.webhook("orders", func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = []string{foreign} }))
	key := w.secret("api-key")
	w.Expect(w.Delete(w.Context(), c)).To(Succeed())
	w.reason(c, v1alpha1.ConditionSynced, v1alpha1.ReasonDeletionBlocked)
	w.Expect(w.Delete(w.Context(), key)).To(Succeed())
	w.Eventually(w.logs.String).Should(ContainSubstring(`"msg":"Reconcile successful","controller":"api-key-guard"`))
	w.hub.ClearFaults()
	w.annotate(c, v1alpha1.AnnotationReconcileRequestedAt, "now")
	w.eventually(c, "the webhook is deleted", func(now *v1alpha1.Chatt2Webhook) bool {
		return !slices.Contains(now.Finalizers, v1alpha1.WebhookFinalizer)
	})
	w.gone(key)
	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Finalizers = nil })
	w.gone(c)
	w.Expect(w.onHub()).To(BeEmpty())
}
