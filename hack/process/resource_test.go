package process_test

import (
	"fmt"
	"os"
	"path/filepath"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// secret creates a Secret with one value.
func (w *world) secret(namespace, name, key, value string) {
	w.Helper()
	w.must(w.Client.Create(w.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string][]byte{key: []byte(value)},
	}))
}

// webhook creates a resource; change says what is special about it.
func (w *world) webhook(name string, change ...func(*v1alpha1.Chatt2Webhook)) *v1alpha1.Chatt2Webhook {
	w.Helper()
	c := &v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{
		Namespace: w.namespace, Name: name, Labels: map[string]string{shard: w.namespace},
	}}
	c.Spec = v1alpha1.Chatt2WebhookSpec{
		Label: name, Endpoint: w.endpoint + "/" + name, EventType: v1alpha1.EventTypeMessage,
		APIKeySecretRef: v1alpha1.APIKeySecretReference{Name: "api-key"},
	}
	for _, do := range change {
		do(c)
	}
	w.must(w.Client.Create(w.Context(), c))
	return c
}

func signed(c *v1alpha1.Chatt2Webhook) { c.Spec.RequiresSignature = true }

func inNamespace(namespace string) func(*v1alpha1.Chatt2Webhook) {
	return func(c *v1alpha1.Chatt2Webhook) { c.Namespace = namespace }
}

// get reads a resource as it is now.
func (w *world) get(c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
	w.Helper()
	now := &v1alpha1.Chatt2Webhook{}
	w.must(w.Get(w.Context(), client.ObjectKeyFromObject(c), now))
	return now
}

// change changes a resource as a user does.
func (w *world) change(c *v1alpha1.Chatt2Webhook, do func(*v1alpha1.Chatt2Webhook)) {
	w.Helper()
	before := w.get(c)
	after := before.DeepCopy()
	do(after)
	w.must(w.Patch(w.Context(), after, client.MergeFrom(before)))
}

// rotate asks for a new signing secret and waits for it.
func (w *world) rotate(c *v1alpha1.Chatt2Webhook, request string) {
	w.Helper()
	w.requestRotation(c, request)
	w.rotated(c, request)
}

func (w *world) requestRotation(c *v1alpha1.Chatt2Webhook, request string) {
	w.Helper()
	w.change(c, func(c *v1alpha1.Chatt2Webhook) {
		c.Annotations = map[string]string{v1alpha1.AnnotationRotateRequestedAt: request}
	})
}

func (w *world) rotated(c *v1alpha1.Chatt2Webhook, request string) {
	w.Helper()
	w.Eventually(func() bool {
		now := w.get(c)
		return now.Status.LastHandledRotateAt == request && now.IsReady()
	}).Should(BeTrue(), "the signing secret was not rotated: %s", w.logs())
}

// ready waits until a resource is ready for its present spec, and returns it.
func (w *world) ready(c *v1alpha1.Chatt2Webhook) *v1alpha1.Chatt2Webhook {
	w.Helper()
	w.Eventually(func() bool { return w.get(c).IsReady() }).Should(BeTrue(), func() string {
		return fmt.Sprintf("%s is not ready: %+v\n%s", c.Name, w.get(c).Status.Conditions, w.logs())
	})
	return w.get(c)
}

// gone waits until an object does not exist any more.
func (w *world) gone(object client.Object) {
	w.Helper()
	w.Eventually(func() error {
		return w.Get(w.Context(), client.ObjectKeyFromObject(object), object)
	}).Should(MatchError(ContainSubstring("not found")), "%s is still there", object.GetName())
}

// read reads a Secret that must be there.
func (w *world) read(namespace, name string) *corev1.Secret {
	w.Helper()
	s := &corev1.Secret{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: namespace, Name: name}, s))
	return s
}

// holdsLiveSecret asserts that the signing Secret holds what the Hub signs with.
func (w *world) holdsLiveSecret(c *v1alpha1.Chatt2Webhook) {
	w.Helper()
	s := w.read(c.Namespace, c.SigningSecretName())
	w.Expect(string(s.Data[v1alpha1.SecretKeyCurrent])).To(Equal(w.hub.SecretOf(w.get(c).Status.WebhookID)),
		"the Secret does not hold what the Hub signs with")
	w.Expect(s.Annotations).NotTo(HaveKey(v1alpha1.AnnotationRotationStartedAt), "a rotation is still open")
}

// mount puts the signing Secret where the receiver reads it, as a volume does.
func (w *world) mount(c *v1alpha1.Chatt2Webhook) {
	w.Helper()
	for key, value := range w.read(c.Namespace, c.SigningSecretName()).Data {
		w.must(os.WriteFile(filepath.Join(w.volume, key), value, 0o600))
	}
}

// readyReason is why a resource is ready or not.
func readyReason(c *v1alpha1.Chatt2Webhook) string {
	for _, condition := range c.Status.Conditions {
		if condition.Type == v1alpha1.ConditionReady {
			return condition.Reason
		}
	}
	return ""
}
