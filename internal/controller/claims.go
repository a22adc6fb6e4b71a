package controller

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// claims are the webhooks that resources of this process have, from before their status says so.
type claims struct {
	mu     sync.Mutex
	owners map[string]types.NamespacedName
	// of are the webhooks by resource.
	of map[types.NamespacedName][]string
	// elsewhere are owners that the cache does not show, those of other shards, empty for none, and until when that is
	// believed: by webhook, and by resource the older one that declares the same.
	elsewhere map[string]elsewhere
	// onlyOwnNamespaces: the operator may not list the resources of other namespaces.
	onlyOwnNamespaces atomic.Bool
}

type elsewhere struct {
	owner string
	until time.Time
}

// elsewhereTime is how long an owner that the cache does not show is believed to be one.
const elsewhereTime = time.Minute

// seenElsewhere records an owner that the cache does not show.
func (c *claims) seenElsewhere(id, owner string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.elsewhere, func(_ string, e elsewhere) bool { return now.After(e.until) })
	if c.elsewhere == nil {
		c.elsewhere = map[string]elsewhere{}
	}
	c.elsewhere[id] = elsewhere{owner, now.Add(elsewhereTime)}
}

// ownerElsewhere returns the owner that the cache does not show, and whether the API server was asked for one lately.
func (c *claims) ownerElsewhere(id string, now time.Time) (owner string, asked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.elsewhere[id]; now.Before(e.until) {
		return e.owner, true
	}
	return "", false
}

// claim takes a webhook for a resource, unless another one has it.
func (c *claims) claim(id string, name types.NamespacedName) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owners == nil {
		c.owners, c.of = map[string]types.NamespacedName{}, map[types.NamespacedName][]string{}
	}
	if owner, ok := c.owners[id]; ok {
		return owner == name
	}
	c.owners[id] = name
	c.of[name] = append(c.of[name], id)
	return true
}

func (c *claims) owner(id string) (types.NamespacedName, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	owner, ok := c.owners[id]
	return owner, ok
}

// release gives up all that a resource has.
func (c *claims) release(name types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range c.of[name] {
		delete(c.owners, id)
	}
	delete(c.of, name)
}

// ownerOf is the other resource that a webhook belongs to, nil when it belongs to none. Among resources that both have
// it in their status, a backup restored beside the original for example, it belongs to the oldest.
func (r *Reconciler) ownerOf(ctx context.Context, id string, me *v1alpha1.Chatt2Webhook) (string, error) {
	if id == "" {
		return "", nil
	}
	var others v1alpha1.Chatt2WebhookList
	// What is only read need not be copied.
	err := r.Client.List(ctx, &others, client.MatchingFields{indexWebhookID: bucket(id)}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return "", err
	}
	if other := rightful(others.Items, id, me); other != "" {
		return other, nil
	}
	if owner, ok := r.claims.owner(id); ok && owner != client.ObjectKeyFromObject(me) && me.Status.WebhookID != id {
		return owner.String(), nil
	}
	if me.Status.WebhookID == id {
		return "", nil
	}
	owner, _ := r.claims.ownerElsewhere(id, r.Now())
	return owner, nil
}

// hasAlone reports whether no resource of another shard has the webhook, too. Two shards may have adopted it in the
// same moment, each before the other's status said so, and a copy of a resource may have been restored into another
// shard. So the API server is asked once more, now that our status says so, before the webhook is changed for the first
// time. Of copies the younger lets it go. Who has just adopted it does for any other one, for that one may have looked
// before; that both do is no harm, as they adopt it again later.
func (r *Reconciler) hasAlone(ctx context.Context, o *observation, p plan.Plan, out *outcome) bool {
	// That another one has it is known then, and nothing but the Secret is touched.
	doubts := p.Action == plan.BeginRotation && o.SecretTaken
	if !r.Options.IsShard || doubts || o.local.sole == o.ID {
		return true
	}
	me := o.Object
	if o.local.adopted == o.ID {
		// As if we did not have it: any other one counts then.
		me = o.Object.DeepCopy()
		me.Status.WebhookID = ""
	}
	owner, err := r.liveOwnerOf(ctx, o.ID, me)
	switch {
	case err != nil:
		out.err = err
		return false
	case owner == "":
		o.local.sole = o.ID
		return true
	}
	r.leave(ctx, o, owner, out)
	return false
}

// yield leaves a webhook to the other resource that has it, too, if the API server still says so.
func (r *Reconciler) yield(ctx context.Context, o *observation, _ plan.Plan, out *outcome) {
	owner, err := r.liveOwnerOf(ctx, o.ID, o.Object)
	if out.err = err; err != nil {
		return
	}
	if out.again = true; owner != "" {
		r.leave(ctx, o, owner, out)
	}
}

// leave has a resource know nothing any more of a webhook that another one has. First the intent goes, so that nothing
// looks as if a registration were open.
func (r *Reconciler) leave(ctx context.Context, o *observation, owner string, out *outcome) {
	if out.err = r.patchMetadata(ctx, o, removeIntent); out.err != nil {
		return
	}
	out.again = true
	r.claims.release(o.name)
	r.claims.seenElsewhere(o.ID, owner, r.Now())
	o.Matches = append(o.Matches, plan.Match{Webhook: o.Remote.Webhook, Owner: owner})
	o.Owner, o.Remote, o.Applied = owner, plan.Remote{}, v1alpha1.AppliedStatus{}
	o.local.LocalState, o.local.held, o.local.unwritten = plan.LocalState{Requested: o.local.Requested}, nil, nil
	o.ID = ""
}

// liveOwnerOf asks the API server, so that the resources of other shards count.
func (r *Reconciler) liveOwnerOf(ctx context.Context, id string, me *v1alpha1.Chatt2Webhook) (string, error) {
	others, err := r.liveList(ctx, client.MatchingFields{fieldWebhookID: id})
	return rightful(others, id, me), err
}

// liveList lists resources from the API server. An operator of some namespaces that may not list others gets those of
// its own only, and asks for the others once per process.
func (r *Reconciler) liveList(ctx context.Context, which client.MatchingFields) ([]v1alpha1.Chatt2Webhook, error) {
	if !r.claims.onlyOwnNamespaces.Load() {
		found, err := r.liveListIn(ctx, which, []string{metav1.NamespaceAll})
		if !apierrors.IsForbidden(err) || len(r.Options.Namespaces) == 0 {
			return found, err
		}
		r.claims.onlyOwnNamespaces.Store(true)
	}
	return r.liveListIn(ctx, which, r.Options.Namespaces)
}

func (r *Reconciler) liveListIn(
	ctx context.Context, which client.MatchingFields, namespaces []string,
) ([]v1alpha1.Chatt2Webhook, error) {
	var found []v1alpha1.Chatt2Webhook
	for _, namespace := range namespaces {
		var list v1alpha1.Chatt2WebhookList
		if err := r.Live.List(ctx, &list, client.InNamespace(namespace), which); err != nil {
			return nil, err
		}
		found = append(found, list.Items...)
	}
	return found, nil
}

// rightful is the resource among others that has more right to a webhook than me.
func rightful(others []v1alpha1.Chatt2Webhook, id string, me *v1alpha1.Chatt2Webhook) string {
	for i := range others {
		other := &others[i]
		if other.UID == me.UID || other.Status.WebhookID != id {
			continue
		}
		if me.Status.WebhookID != id || older(other, me) {
			return client.ObjectKeyFromObject(other).String()
		}
	}
	return ""
}

// older reports whether a was created before b; of two created in the same second the name decides.
func older(a, b *v1alpha1.Chatt2Webhook) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return client.ObjectKeyFromObject(a).String() < client.ObjectKeyFromObject(b).String()
}
