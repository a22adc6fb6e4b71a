package campaign_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

// atRate begins a life of the operator that makes so many calls a second.
func (w *world) atRate(qps float64, burst int) {
	w.qps, w.burst = qps, burst
	w.restart()
}

// manyResources declares n resources.
func (w *world) manyResources(n int) {
	for i := range n {
		w.declare(metav1.ObjectMeta{Namespace: home, Name: fmt.Sprintf("%s-%d", name, i)})
	}
}

// minutesOfPatches are the minutes after a time in which the Hub was sent PATCHes.
func (w *world) minutesOfPatches(since time.Time) []int {
	var minutes []int
	for _, r := range w.hub.Requests(simulator.ByOperation("updateWebhook")) {
		minutes = append(minutes, int(r.ReceivedAt.Sub(since).Minutes()))
	}
	return minutes
}

func TestTheHubIsMadeToVerifyEverLessOftenAtAnyRate(t *testing.T) {
	for _, rate := range []struct {
		qps   float64
		burst int
	}{{10, 20}, {0.5, 1}} {
		holds(t, func(w *world) {
			w.atRate(rate.qps, rate.burst)
			w.endpointDown = true
			w.resource()
			begun := w.clock.now
			w.run(16*time.Minute + 30*time.Second)
			got := slices.Compact(w.minutesOfPatches(begun))
			if want := []int{1, 3, 7, 15}; !slices.Equal(got, want) {
				t.Errorf("at %v calls a second the Hub is made to verify in the minutes %v, want %v", rate.qps, got, want)
			}
			if n := w.events[v1alpha1.ReasonVerificationFailed]; n != 1 {
				t.Errorf("at %v calls a second there are %d events VerificationFailed, want 1", rate.qps, n)
			}
		})
	}
}

// A tenth of what the default rate allows, for a tenth of the resources.
func TestUnreachableEndpointsDoNotUseUpTheRate(t *testing.T) {
	const n = 30
	holds(t, func(w *world) {
		w.atRate(1, 2)
		w.endpointDown = true
		w.manyResources(n)
		begun := w.clock.now
		w.run(15 * time.Minute)
		early, late := 0, 0
		for _, minute := range w.minutesOfPatches(begun) {
			if early++; minute >= 12 {
				late++
			}
		}
		if most := n * (1 + 2 + 1 + 2); early > most {
			t.Errorf("%d PATCHes in a quarter of an hour, want at most %d", early, most)
		}
		if most := n; late > most {
			t.Errorf("%d PATCHes in the last three minutes, want at most %d", late, most)
		}
		if got := w.events[v1alpha1.ReasonVerificationFailed]; got > n {
			t.Errorf("%d events VerificationFailed for %d resources", got, n)
		}
	})
}

func TestAnEndpointIsNotVerifiedAgainBeforeTheHubWasObserved(t *testing.T) {
	holds(t, func(w *world) {
		// Registrations alone take longer than the first minute, and so would a listing.
		const n = 40
		w.hub.SetVariants(simulator.Variants{VerifyAfter: simulator.Duration(time.Second), MaxLimit: 2})
		w.atRate(0.25, 1)
		w.manyResources(n)
		w.run(10 * time.Minute)
		if patches := w.hub.Count("updateWebhook"); patches != 0 {
			t.Errorf("%d PATCHes for endpoints that the Hub has verified", patches)
		}
		if failed := w.events[v1alpha1.ReasonVerificationFailed]; failed != 0 {
			t.Errorf("%d events VerificationFailed for endpoints that the Hub has verified", failed)
		}
	})
}

func TestWhatAnUpdateOfHeadersTakesBackIsVerifiedAtOnceHoweverOftenItWasTried(t *testing.T) {
	for _, variants := range []simulator.Variants{
		{}, {HeadersResetVerified: true}, {HeadersResetVerified: true, VerifyChangedOnly: true},
	} {
		holds(t, func(w *world) {
			w.hub.SetVariants(variants)
			w.endpointDown = true
			w.resource()
			w.run(20 * time.Minute)
			w.endpointDown = false
			w.change(func(c *v1alpha1.Chatt2Webhook) {
				c.Spec.Headers = []v1alpha1.Header{{Key: "X-A", Value: new("accepted by the endpoint")}}
			})
			w.run(15 * time.Second)
			if !w.get().IsReady() {
				t.Errorf("with %+v it is not ready: %s", variants, readyReason(w.get()))
			}
		})
	}
}

func TestACallThatWasNotCarriedOutIsNoVerification(t *testing.T) {
	for _, is := range []action{notSent, throttled, conflict} {
		holds(t, func(w *world) {
			w.endpointDown = true
			w.resource()
			w.run(30 * time.Second)
			w.endpointDown = false
			w.gate.first["PATCH webhook"] = is
			w.run(45 * time.Second)
			if !w.get().IsReady() {
				t.Errorf("after %v it is not ready: %s", is, readyReason(w.get()))
			}
		})
	}
}
