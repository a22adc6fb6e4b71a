package controller_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// template gives the signing Secret these labels and annotations.
func template(labels map[string]v1alpha1.LabelValue, annotations map[string]v1alpha1.AnnotationValue,
) func(*v1alpha1.Chatt2Webhook) {
	return func(c *v1alpha1.Chatt2Webhook) {
		c.Spec.SigningSecret = &v1alpha1.SigningSecret{Template: &v1alpha1.SecretTemplate{
			Metadata: v1alpha1.SecretTemplateMetadata{Labels: labels, Annotations: annotations},
		}}
	}
}

func TestWhatLeavesTheTemplateIsRemovedFromTheSecret(t *testing.T) {
	w := newWorld(t)
	w.run()
	type labels = map[string]v1alpha1.LabelValue
	type annotations = map[string]v1alpha1.AnnotationValue
	c := w.webhook("orders", signed,
		template(labels{"team": "a", "tier": "b"}, annotations{"reflect": "true", "note": ""}))
	w.ready(c)
	s := w.secret("orders-signing")
	s.Labels["other"], s.Annotations["other"] = "tool", "tool"
	w.Expect(w.Update(w.Context(), s)).To(Succeed())
	before := w.secret("orders-signing")

	w.change(c, template(labels{"tier": "c"}, annotations{"note": ""}))
	w.Eventually(func() map[string]string { return w.secret("orders-signing").Labels }).Should(Equal(map[string]string{
		"tier": "c", "other": "tool", v1alpha1.LabelManagedBy: v1alpha1.ManagedBy,
	}))
	s = w.secret("orders-signing")
	w.Expect(s.Annotations).NotTo(HaveKey("reflect"))
	w.Expect(s.Annotations).To(And(HaveKeyWithValue("note", ""), HaveKeyWithValue("other", "tool")))
	w.Expect(s.Data).To(Equal(before.Data))

	w.change(c, func(c *v1alpha1.Chatt2Webhook) { c.Spec.SigningSecret = nil })
	w.Eventually(func() map[string]string { return w.secret("orders-signing").Labels }).Should(Equal(map[string]string{
		"other": "tool", v1alpha1.LabelManagedBy: v1alpha1.ManagedBy,
	}))
	s = w.secret("orders-signing")
	w.Expect(s.Annotations).NotTo(Or(HaveKey("note"), HaveKey(v1alpha1.AnnotationTemplateKeys)))
	w.Expect(s.Annotations).To(HaveKeyWithValue("other", "tool"))
	w.holdsLiveSecret(w.ready(c))
	w.quiet(quietTime)
	w.Expect(w.hub.Count("redefineSignature")).To(BeZero())
}

// A Secret that was written before the keys were recorded is written once, and loses nothing.
func TestASecretWithoutRecordedTemplateKeysIsWrittenOnce(t *testing.T) {
	w := newWorld(t)
	w.run()
	c := w.webhook("orders", signed, template(map[string]v1alpha1.LabelValue{"team": "a"}, nil))
	w.ready(c)
	w.stop()
	s := w.secret("orders-signing")
	delete(s.Annotations, v1alpha1.AnnotationTemplateKeys)
	s.Labels["former"] = "b"
	w.Expect(w.Update(w.Context(), s)).To(Succeed())
	counter := w.countWrites()
	w.run()
	w.Eventually(func() map[string]string { return w.secret("orders-signing").Annotations }).Should(
		HaveKeyWithValue(v1alpha1.AnnotationTemplateKeys, `{"labels":["team"]}`))
	w.quiet(quietTime)
	w.Expect(counter.list()).To(Equal([]string{"PUT /secrets/orders-signing"}))
	w.Expect(w.secret("orders-signing").Labels).To(And(HaveKeyWithValue("team", "a"), HaveKeyWithValue("former", "b")))
}
