package campaign_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// watched is what has to be remembered to report whether an invariant holds.
type watched struct {
	flow flow
	// revision is up to where the API server was looked at, secrets are those that there are then.
	revision int64
	secrets  map[types.NamespacedName]*corev1.Secret
	// of is what is known of each resource that ever was, living are those that are there.
	of     map[types.UID]*known
	living map[types.NamespacedName]*known
	// abandoned are webhooks that were given up on purpose; touched is until when a signing Secret that a user changed
	// need not be noticed.
	abandoned map[string]bool
	touched   map[types.NamespacedName]time.Time
	// leaked are the webhooks of resources that are gone.
	leaked map[string]bool
	// byHand are the webhooks that a user made, verified those that ever were, made whom the others were made for.
	// labelled are those whose label somebody else has set.
	byHand, verified, labelled map[string]bool
	made                       map[string]types.UID
	// maker is whom a call to the Hub is carried out for.
	maker types.UID
	// referred are the Secrets that a resource has ever referred to.
	referred map[types.NamespacedName]bool
	// redefined counts redefinitions that were asked for, causes what a user did that may lead to one, and doubts the
	// deaths and unknown answers among all calls.
	redefined, causes, doubts int
	// vanished: a user has taken a resource away from the operator. madeForGone counts the empty Secrets that were
	// created for it afterwards.
	vanished    bool
	madeForGone int
	// repaired is when a user last did something about an API key, or asked for a look, which may take a while.
	repaired time.Time
	// repeats counts how often the last call was made in a row.
	last    string
	repeats int
}

// known is what is known of one resource.
type known struct {
	// object is the resource as it is, or last was when it is gone.
	object *v1alpha1.Chatt2Webhook
	gone   bool
	// had are the webhooks that were its own.
	had map[string]bool
	// unseen is when a registration last ended whose outcome its caller does not know, zero when none is open, and
	// unseenBy the Application that it was for.
	unseen   time.Time
	unseenBy string
	// extra is how many webhooks it may have besides one, because calls were carried out too late.
	extra int
	// stale: its signing Secret was put back to what it once was, which nobody can see.
	stale bool
	// slept: a leader that slept has changed its webhook, perhaps in what the Hub does not show.
	slept bool
	// left: it went without the operator, and what it had may be left behind.
	left bool
	// wiped is the webhook that its status named when a user wiped that last.
	wiped string
	// labelRefused: the Hub has refused an update with a label, as one does that takes none. It is not sent again.
	labelRefused bool
}

func newWatched() watched {
	return watched{
		secrets: map[types.NamespacedName]*corev1.Secret{}, of: map[types.UID]*known{},
		living: map[types.NamespacedName]*known{}, byHand: map[string]bool{}, verified: map[string]bool{},
		labelled: map[string]bool{}, leaked: map[string]bool{},
		made: map[string]types.UID{}, abandoned: map[string]bool{},
		touched: map[types.NamespacedName]time.Time{}, referred: map[types.NamespacedName]bool{},
	}
}

// look brings what is known of the API server and the Hub up to date.
func (w *world) look() {
	for app := range w.applications() {
		for _, h := range w.hub.Webhooks(app) {
			if h.IsVerified {
				w.watch.verified[h.ID] = true
			}
		}
	}
	if w.store.Revision() == w.watch.revision {
		return
	}
	events, err := w.store.Events(w.watch.revision)
	w.must(err)
	w.watch.revision = w.store.Revision()
	for _, e := range events {
		switch object := e.New.(type) {
		case *corev1.Secret:
			w.watch.secrets[e.Key] = object
			w.checkShown(object.ObjectMeta)
		case *v1alpha1.Chatt2Webhook:
			w.watch.saw(object)
			w.checkShown(object)
		case nil:
			w.watch.went(e.Key, e.Old)
		}
	}
}

// applications are the ids of the Applications.
func (w *world) applications() map[string]bool {
	apps := map[string]bool{}
	for _, app := range w.apiKeys {
		apps[app] = true
	}
	return apps
}

// saw takes a resource as it is now.
func (o *watched) saw(c *v1alpha1.Chatt2Webhook) {
	of, ok := o.of[c.UID]
	if !ok {
		of = &known{had: map[string]bool{}}
		o.of[c.UID] = of
	}
	of.object, of.gone = c, false
	if c.Status.WebhookID != "" {
		of.had[c.Status.WebhookID] = true
	}
	key := client.ObjectKeyFromObject(c)
	if former := o.living[key]; former != nil && former != of {
		former.gone = true // by a restore, which shows no deletion
	}
	o.living[key] = of
	for _, name := range append(c.SecretNames(), c.SigningSecretName()) {
		o.referred[types.NamespacedName{Namespace: c.Namespace, Name: name}] = true
	}
}

// went takes that an object is gone.
func (o *watched) went(key types.NamespacedName, object client.Object) {
	switch object.(type) {
	case *corev1.Secret:
		delete(o.secrets, key)
	case *v1alpha1.Chatt2Webhook:
		if of, ok := o.living[key]; ok {
			of.gone = true
			delete(o.living, key)
		}
	}
}

// signing is the Secret that holds the signing secret of a resource: one that it controls, or that nothing controls and
// that names its webhook. It is nil when there is none.
func (o *watched) signing(c *v1alpha1.Chatt2Webhook) *corev1.Secret {
	s := o.secrets[types.NamespacedName{Namespace: c.Namespace, Name: c.SigningSecretName()}]
	if s == nil || metav1.IsControlledBy(s, c) {
		return s
	}
	if o.isUnowned(s) && s.Annotations[v1alpha1.AnnotationWebhookID] == c.Status.WebhookID {
		return s
	}
	return nil
}

// isUnowned reports whether a Secret of the operator's is controlled by nothing that exists.
func (o *watched) isUnowned(s *corev1.Secret) bool {
	owner := metav1.GetControllerOf(s)
	return (owner == nil || o.of[owner.UID] == nil) && s.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy
}

// appOf is the Application whose key a resource refers to, empty when there is none.
func (w *world) appOf(c *v1alpha1.Chatt2Webhook) string {
	ref := c.Spec.APIKeySecretRef
	s := w.watch.secrets[types.NamespacedName{Namespace: c.Namespace, Name: ref.Name}]
	if s == nil {
		return ""
	}
	key := string(s.Data[ref.Key])
	if n := len(key); n > 0 && key[n-1] == '\n' {
		key = key[:n-1]
	}
	return w.apiKeys[key]
}

// webhook is a webhook as the Hub has it.
func (w *world) webhook(id string) (simulator.Webhook, bool) {
	for app := range w.applications() {
		for _, h := range w.hub.Webhooks(app) {
			if h.ID == id {
				return h, true
			}
		}
	}
	return simulator.Webhook{}, false
}
