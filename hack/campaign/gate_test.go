package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

// errDead is what a process that is dead gets from the world. Nothing that it does has an effect.
var errDead = errors.New("this process is dead")

// gate stands in front of every effect of the operator, numbers it and lets become of it what the schedule says.
type gate struct {
	world *world
	// open: it is the operator that acts, and not a user or the harness.
	open bool
	// armed: the trigger was pulled, effects are numbered and go wrong.
	armed  bool
	dead   bool
	faults map[int]action
	trace  []*effect
	// own are the versions that the operator knows its writes to have made.
	own map[string]bool
}

// pass numbers an effect and says what is to become of it.
func (g *gate) pass(what, on string, of []action) (*effect, action) {
	if !g.armed {
		return &effect{}, pass
	}
	e := &effect{
		number: len(g.trace) + 1, what: what, on: on, at: g.world.clock.now, of: of, became: pass, result: "no answer",
	}
	if a, ok := g.faults[e.number]; ok {
		e.became = a
	}
	g.trace = append(g.trace, e)
	if e.became.isKill() {
		g.dead = true
	}
	return e, e.became
}

// kube is the hook of the store.
func (g *gate) kube(_ context.Context, call store.Call, next func() error) error {
	if !g.open {
		return next()
	}
	if g.dead {
		return errDead
	}
	g.world.checkSecretCall(call)
	of := kubeWrite
	if call.Verb == "get" || call.Verb == "list" {
		of = kubeRead
	}
	what := call.Verb + " " + call.Kind.Kind
	if call.Subresource != "" {
		what += "/" + call.Subresource
	}
	e, is := g.pass(what, call.Key.Name, of)
	err := g.kubeOutcome(call, is, next)
	if e.result = "done"; err != nil {
		e.result = err.Error()
	} else {
		g.own[strconv.FormatInt(g.world.store.Revision(), 10)] = true
	}
	g.world.check()
	return err
}

// kubeOutcome carries a call to the API server out as an action says.
func (g *gate) kubeOutcome(call store.Call, is action, next func() error) error {
	resource := schema.GroupResource{Group: call.Kind.Group, Resource: call.Kind.Kind}
	switch is {
	case pass:
		return next()
	case killBefore:
		return errDead
	case killAfter, killLate:
		_ = next()
		return errDead
	case lost:
		if err := next(); err != nil {
			return err
		}
		return apierrors.NewTimeoutError("the answer was lost", 0)
	case timeout:
		g.world.clock.pass(callTime)
		return apierrors.NewTimeoutError("the request was lost", 0)
	case conflict:
		return apierrors.NewConflict(resource, call.Key.Name, errors.New("the object has been modified"))
	case forbidden:
		return apierrors.NewForbidden(resource, call.Key.Name, errors.New("permission withdrawn"))
	case internal:
		return apierrors.NewInternalError(errors.New("leader changed"))
	default:
		return fmt.Errorf("%s is nothing that becomes of a call to the API server", is)
	}
}
