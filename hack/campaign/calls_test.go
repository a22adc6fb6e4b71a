package campaign_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/plan"
)

// keyState is what a life of the operator was told of an API key.
type keyState struct {
	// pausedUntil is until when the Hub asked to wait.
	pausedUntil time.Time
	// refused: the last call that told was refused. probed is when a listing was last refused.
	refused bool
	probed  time.Time
	// listing is when the listing began whose pages come in.
	listing time.Time
}

// mostProbed is how often a key that is refused may be tried, unless a user has done something about it.
const mostProbed = 50 * time.Second

func (in *incarnation) key(r *http.Request) *keyState {
	key := r.Header.Get("x-api-key")
	if in.keys[key] == nil {
		in.keys[key] = &keyState{}
	}
	return in.keys[key]
}

// mostRepeats is more often than any call is made in a row when nothing goes round in circles.
const mostRepeats = 25

// checkHubCall is asked before a call reaches the Hub.
func (w *world) checkHubCall(in *incarnation, call *hubCall) {
	defer w.gate.looking()()
	w.look()
	w.checkSpoken(call)
	w.checkS7(in, call)
	w.checkRepeats(call)
	of := w.watch.of[call.of]
	if call.lists() && call.URL.Query().Get("offset") == "0" {
		in.key(call.Request).listing = w.clock.now
	}
	if !call.mutates() {
		return
	}
	if of == nil {
		w.violated("S2", "%s for nobody", call)
		return
	}
	w.checkS10(in, call)
	if call.registers() {
		w.checkS6(of, call)
		return
	}
	w.checkS2(in, of, call)
}

// checkSpoken is S5 for what a call says besides its body and its key.
func (w *world) checkSpoken(call *hubCall) {
	said := call.URL.String()
	for name, values := range call.Header {
		if !strings.EqualFold(name, "x-api-key") {
			said += name + strings.Join(values, " ")
		}
	}
	w.checkS5("in a call", said)
}

// checkRepeats: the same call is not made again and again.
func (w *world) checkRepeats(call *hubCall) {
	what := call.String() + call.id + string(call.of)
	if what != w.watch.last || call.lists() {
		w.watch.last, w.watch.repeats = what, 0
	}
	if w.watch.repeats++; w.watch.repeats >= mostRepeats {
		w.violated("L1", "%s %s is made again and again", call, call.id)
	}
}

// checkS2: only a webhook that is the resource's own is changed or deleted.
func (w *world) checkS2(in *incarnation, of *known, call *hubCall) {
	h, there := w.webhook(call.id)
	spec := &of.object.Spec
	alike := h.Label == normalLabel(spec.Label) && h.Endpoint == normalEndpoint(spec.Endpoint) &&
		(!w.watch.byHand[call.id] || spec.Adoption.Policy != v1alpha1.AdoptNever)
	mine := w.watch.made[call.id] == of.object.UID || of.had[call.id] || alike || isNamed(of.object, call.id)
	switch {
	case !there:
	case w.watch.byHand[call.id] && call.Method == http.MethodDelete && of.object.Status.WebhookID != call.id:
		w.violated("S2", "%s %s, which was made by hand and is not what %s has", call, call.id, of.object.Name)
	case !mine:
		w.violated("S2", "%s %s, which is not of %s", call, call.id, of.object.Name)
	case in.asleep:
		// Somebody may have taken it over since.
	case w.isClaimed(call.id, of.object.UID) && of.object.Status.WebhookID != call.id:
		w.violated("S2", "%s %s for %s, which another resource has", call, call.id, of.object.Name)
	}
}

// isNamed reports whether a resource names the webhook that it is to take over.
func isNamed(c *v1alpha1.Chatt2Webhook, id string) bool {
	named := c.Spec.Adoption.WebhookID
	return named != nil && *named == id
}

// checkAdopted is S2 for status: no webhook that was made by hand is taken over against what spec says.
func (w *world) checkAdopted(c *v1alpha1.Chatt2Webhook) {
	if id := c.Status.WebhookID; w.watch.byHand[id] && c.Spec.Adoption.Policy == v1alpha1.AdoptNever && !isNamed(c, id) {
		w.violated("S2", "%s took %s over, which was made by hand", c.Name, id)
	}
}

// checkS6 is asked before a registration: it is written down, the finalizer is there, and no earlier registration may
// have been carried out unseen, which is part of S1.
func (w *world) checkS6(of *known, call *hubCall) {
	c := of.object
	switch {
	case of.left: // a user took it away while the call was under way
	case of.gone || !slices.Contains(c.Finalizers, v1alpha1.WebhookFinalizer) ||
		c.Annotations[v1alpha1.AnnotationCreateStartedAt] == "":
		w.violated("S6", "a registration for %s that is not written down", c.Name)
	case !c.DeletionTimestamp.IsZero() && !of.gone:
		w.violated("S10", "a registration for %s after the deletion", c.Name)
	case !of.unseen.IsZero() && of.unseenBy == w.apiKeys[call.Header.Get("x-api-key")]:
		w.violated("S1", "a second registration for %s while an earlier one may have been carried out unseen", c.Name)
	}
}

// checkS7: no call while the Hub asked to wait, and none but looks while it refuses the key.
func (w *world) checkS7(in *incarnation, call *hubCall) {
	key := in.key(call.Request)
	if w.clock.now.Before(key.pausedUntil) {
		w.violated("S7", "%s while the Hub asked to wait", call)
	}
	if !key.refused {
		return
	}
	if !call.lists() {
		w.violated("S7", "%s while the key is refused", call)
	}
	if since := w.clock.now.Sub(key.probed); since < mostProbed && w.watch.repaired.Add(pollInterval).Before(key.probed) {
		w.violated("S7", "a key that is refused is tried again after %s", since)
	}
}

// listed takes the answer to a page of a listing. One that is whole, and began late enough, shows what registrations
// made that nobody knew the end of.
func (w *world) listed(in *incarnation, call *hubCall, answer *http.Response) {
	key := in.key(call.Request)
	if answer.StatusCode != http.StatusOK {
		return
	}
	body, err := io.ReadAll(answer.Body)
	w.must(err)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	var page struct {
		Data       []json.RawMessage           `json:"data"`
		Pagination struct{ Offset, Total int } `json:"pagination"`
	}
	bare := json.Unmarshal(body, &page) != nil
	if !bare && page.Pagination.Offset+len(page.Data) < page.Pagination.Total {
		return
	}
	for _, of := range w.watch.of {
		if of.unseenBy == w.apiKeys[call.Header.Get("x-api-key")] && !key.listing.Before(of.unseen.Add(settleTime)) {
			of.unseen = time.Time{}
		}
	}
}

// checkS10: of what the operator could see when the step began, a resource that is being deleted has webhooks deleted
// only, and one that is suspended, or stalled by what does not go, has nothing changed.
func (w *world) checkS10(in *incarnation, call *hubCall) {
	switch {
	case in.seen == nil:
	case !in.seen.DeletionTimestamp.IsZero():
		if call.Method != http.MethodDelete {
			w.violated("S10", "%s %s after the deletion", call, call.id)
		}
	case in.seen.Spec.Suspend:
		w.violated("S10", "%s %s for a resource that is suspended", call, call.id)
	case w.watch.flow.waits != "" && readyReason(in.seen) == w.watch.flow.waits &&
		in.seen.Status.ObservedGeneration == in.seen.Generation && !w.mayTryAgain(in):
		w.violated("S10", "%s %s for a resource that says %s", call, call.id, w.watch.flow.waits)
	}
}

// mayTryAgain reports whether what the Hub refused may be sent again: once an hour, and by a life that was not there
// when it was refused.
func (w *world) mayTryAgain(in *incarnation) bool {
	return w.watch.flow.waits == v1alpha1.ReasonRejected &&
		(in.refusedAt.IsZero() || w.clock.now.Sub(in.refusedAt) >= plan.RejectedTime)
}

// called records how a call to the Hub ended.
func (w *world) called(in *incarnation, call *hubCall, is action, answer *http.Response) {
	key := in.key(call.Request)
	if answer != nil {
		switch answer.StatusCode {
		case http.StatusTooManyRequests:
			pause := retryAfter
			if seconds, err := strconv.Atoi(cmp.Or(answer.Header.Get("Retry-After"), "1")); err == nil {
				pause = time.Duration(seconds) * time.Second
			}
			key.pausedUntil = w.clock.now.Add(pause)
		case http.StatusUnauthorized, http.StatusForbidden:
			if key.refused = true; call.lists() {
				key.probed = w.clock.now
			}
		default:
			key.refused = false
		}
		if call.mutates() && (answer.StatusCode == http.StatusBadRequest || answer.StatusCode == http.StatusUnprocessableEntity) {
			in.refusedAt = w.clock.now
		}
	}
	if call.lists() && answer != nil && is.isOneOf(pass, asleep) {
		w.listed(in, call, answer)
	}
	if call.redefines() {
		w.watch.redefined++
	}
	if is != pass {
		w.watch.doubts++
	}
	of := w.watch.of[call.of]
	if of == nil {
		return
	}
	if is == tooLate {
		of.extra++
	}
	of.slept = of.slept || in.asleep && call.mutates()
	switch {
	case call.registers() && is == asleep && answer != nil && answer.StatusCode >= http.StatusBadRequest:
		// It slept and was refused.
	case call.registers() && is.isUnknown():
		of.unseen, of.unseenBy = w.clock.now, w.apiKeys[call.Header.Get("x-api-key")]
		if is == asleep {
			of.unseen = w.clock.now.Add(-settleTime) // it was carried out this moment
		}
	case call.redefines() && answer != nil && answer.StatusCode == http.StatusOK && is == pass:
		of.stale = false
	case is.isOneOf(invalid, badRequest) && call.Method == http.MethodPatch && bytes.Contains(call.body, []byte(`"label"`)):
		of.labelRefused = true
	}
}
