package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

// errDead is what a process that is dead gets from the world. Nothing that it does has an effect.
var errDead = errors.New("this process is dead")

// gate stands in front of every effect of the operator, numbers it and lets become of it what the schedule says.
type gate struct {
	world *world
	// acting is the life of the operator that acts, nil while a user or the harness does.
	acting *incarnation
	// armed: the trigger was pulled, effects are numbered and go wrong.
	armed bool
	// faults are what becomes of effects by number, first what becomes of the first effect that is the operation.
	faults map[int]action
	first  map[string]action
	// then is what a user does at once after the first effect that is the operation.
	then map[string]func(*world)
	// blind are effects by number that something becomes of, chosen from what can by that number.
	blind map[int]int
	trace []*effect
	// missed are faults that cannot become of the effect they fell on.
	missed []string
}

// looking has the harness use the API server past the gate.
func (g *gate) looking() (end func()) {
	was := g.acting
	g.acting = nil
	return func() { g.acting = was }
}

// pass numbers an effect and says what is to become of it.
func (g *gate) pass(what, on string, of []action) (*effect, action) {
	e := &effect{
		number: len(g.trace) + 1, what: what, on: on, life: g.acting.life, at: g.world.clock.now, of: of, became: pass,
		result: "no answer",
	}
	if a, ok := g.first[what]; ok {
		e.became = a
		delete(g.first, what)
	}
	if !g.armed {
		return e, e.become(g)
	}
	if a, ok := g.faults[e.number]; ok {
		e.became = a
		// What cannot become of an effect does not: walks choose blindly.
		if !a.isOneOf(of...) && a != tooLate {
			g.missed = append(g.missed, fmt.Sprintf("%s: %s", a, e))
			e.became = pass
		}
	}
	if n, ok := g.blind[e.number]; ok {
		e.became = of[n%len(of)]
	}
	g.trace = append(g.trace, e)
	return e, e.become(g)
}

// note writes something into the trace that is no effect of the operator.
func (g *gate) note(text string) {
	g.trace = append(g.trace, &effect{number: len(g.trace) + 1, what: text, at: g.world.clock.now, life: -1})
}

// become ends or suspends the life that acts, if that is to become of the effect.
func (e *effect) become(g *gate) action {
	switch {
	case e.became.isKill():
		g.acting.dead = true
	case e.became == asleep:
		g.world.suspend(g.acting, sleepTime)
		if g.world.clock.now.Sub(e.at) >= settleTime {
			e.became = coma // its successor slept, too
		}
	case e.became == coma:
		g.world.suspend(g.acting, comaTime)
	}
	return e.became
}

// kube is the hook of the store.
func (g *gate) kube(_ context.Context, call store.Call, next func() error) error {
	in := g.acting
	if in == nil {
		return next()
	}
	if err := in.ended(); err != nil {
		return err
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
	before := g.world.store.Revision()
	var secret *corev1.Secret
	if call.Kind.Kind == "Secret" && call.Key.Name != "" {
		secret = g.world.secretAt(call.Key)
	}
	err := g.kubeOutcome(call, is, next)
	g.world.checkSecretWrite(call, secret)
	if e.result = "done"; err != nil {
		e.result = err.Error()
	} else if g.world.store.Revision() != before {
		in.own[strconv.FormatInt(g.world.store.Revision(), 10)] = true
	}
	if err == nil || call.Verb == "get" && apierrors.IsNotFound(err) {
		g.goOn(what)
	}
	g.world.check()
	if err == nil && what == "patch Chatt2Webhook/status" {
		g.world.checkS8Written(in, call.Key)
	}
	return err
}

// goOn has the user do what comes right after such an effect.
func (g *gate) goOn(what string) {
	if then := g.then[what]; then != nil {
		delete(g.then, what)
		defer g.looking()()
		then(g.world)
	}
}

// kubeOutcome carries a call to the API server out as an action says.
func (g *gate) kubeOutcome(call store.Call, is action, next func() error) error {
	resource := schema.GroupResource{Group: call.Kind.Group, Resource: call.Kind.Kind}
	switch is {
	case pass, asleep:
		return next()
	case killBefore:
		return errDead
	case killAfter, killLate:
		_ = next()
		return errDead
	case coma:
		g.acting.expired = true
		return context.DeadlineExceeded
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
	case busy:
		return apierrors.NewTooManyRequests("the API server is busy", 1)
	case invalid:
		return apierrors.NewInvalid(call.Kind.GroupKind(), call.Key.Name, nil)
	case internal:
		return apierrors.NewInternalError(errors.New("leader changed"))
	default:
		return fmt.Errorf("%s is nothing that becomes of a call to the API server", is)
	}
}
