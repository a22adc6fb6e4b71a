package connection

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// rig is a connection on a fake clock, to a Hub that takes no time to run but on that clock.
type rig struct {
	*clock
	*waker
	t    *testing.T
	cfg  Config
	conn *Connection

	// allows is how the Hub counts calls, nil for no limit, says whether it answers Retry-After, and fails which calls
	// are answered 502.
	allows limit
	says   bool
	fails  func(call int) bool
	// answer is how long a call takes, verifies how long after a registration the Hub has verified the endpoint.
	answer, verifies time.Duration
	newestFirst      bool
	// made are the webhooks on the Hub, oldest first, and place is where each of them is.
	made  []hubWebhook
	place map[string]int
	// calls, lists and refused count calls, those that list, and those that are answered 429.
	calls, lists, refused int
	// listings counts those that came out whole.
	listings int
}

type hubWebhook struct {
	id       string
	key      NaturalKey
	at       time.Time
	verified time.Time
}

func newRig(t *testing.T, webhooks int) *rig {
	t.Helper()
	r := &rig{
		t: t, clock: &clock{now: noon}, waker: &waker{}, place: map[string]int{}, answer: 20 * time.Millisecond,
	}
	r.cfg = Config{
		QPS: 10, Burst: 20, PollInterval: time.Minute, Now: r.Now, Jitter: exactly, Wake: r.Wake, Lanes: NewLanes(16),
		Metrics: Metrics{
			Throttled: func(string, time.Duration) {}, Breaker: func(string, Access) {},
			Listed: func(string, time.Time) { r.listings++ }, Closed: func(string) {},
		},
	}
	for n := range webhooks {
		r.register(naturalOf(n))
	}
	return r
}

// connect makes the connection from what is configured.
func (r *rig) connect() *rig {
	r.t.Helper()
	key := hub.NewSecret(apiKey)
	client, err := hub.New(hub.Config{BaseURL: "https://hub.example", APIKey: key, Transport: through(r.roundTrip), Now: r.Now})
	if err != nil {
		r.t.Fatal(err)
	}
	r.conn = New(r.cfg, client, "key")
	return r
}

func (r *rig) register(key NaturalKey) hubWebhook {
	n := len(r.made)
	w := hubWebhook{id: fmt.Sprintf("%08d-0000-4000-8000-000000000000", n), key: key, at: r.Now()}
	w.verified = w.at.Add(r.verifies)
	r.place[w.id] = n
	r.made = append(r.made, w)
	return w
}

// roundTrip is the Hub.
func (r *rig) roundTrip(request *http.Request) (*http.Response, error) {
	r.calls++
	lists := request.Method == http.MethodGet && strings.HasSuffix(request.URL.Path, "/webhook")
	if lists {
		r.lists++
	}
	defer r.pass(r.answer)
	answer := httptest.NewRecorder()
	if r.allows != nil {
		if taken, after := r.allows(r.Now()); !taken {
			r.refused++
			if r.says {
				answer.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
			}
			answer.WriteHeader(http.StatusTooManyRequests)
			return answer.Result(), nil
		}
	}
	switch {
	case r.fails != nil && r.fails(r.calls):
		answer.WriteHeader(http.StatusBadGateway)
	case lists:
		r.list(request, answer)
	case request.Method == http.MethodPost:
		var change NaturalKey
		body, err := io.ReadAll(request.Body)
		if err == nil {
			err = json.Unmarshal(body, &change)
		}
		if err != nil {
			return nil, err
		}
		answer.WriteHeader(http.StatusCreated)
		r.write(answer, r.shown(r.register(change)))
	default:
		r.write(answer, r.shown(r.made[r.place[path.Base(request.URL.Path)]]))
	}
	return answer.Result(), nil
}

func (r *rig) list(request *http.Request, answer io.Writer) {
	offset, _ := strconv.Atoi(request.URL.Query().Get("offset"))
	limit, _ := strconv.Atoi(request.URL.Query().Get("limit"))
	data := []map[string]any{}
	for n := offset; n < min(offset+limit, len(r.made)); n++ {
		if r.newestFirst {
			data = append(data, r.shown(r.made[len(r.made)-1-n]))
		} else {
			data = append(data, r.shown(r.made[n]))
		}
	}
	r.write(answer, map[string]any{
		"data": data, "pagination": map[string]any{"offset": offset, "limit": limit, "total": len(r.made)},
	})
}

func (r *rig) write(answer io.Writer, body any) {
	if err := json.NewEncoder(answer).Encode(body); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) shown(w hubWebhook) map[string]any {
	return map[string]any{
		"id": w.id, "applicationId": "11111111-1111-4111-8111-111111111111", "active": true, "label": w.key.Label,
		"endpoint": w.key.Endpoint, "eventType": w.key.EventType, "authenticationProtocol": "NoAuthentication",
		"isVerified": !r.Now().Before(w.verified), "createdDate": w.at.Format(time.RFC3339Nano), "numberOfErrors": 0,
	}
}

// step lets the connection do what is due, and the clock go on to what is due next, or for most.
func (r *rig) step(most time.Duration) {
	r.t.Helper()
	before := r.Now()
	until := before.Add(most)
	ctx := r.t.Context()
	for _, at := range []time.Time{
		r.conn.StepBudget(), r.conn.StepListing(ctx), r.conn.StepObservations(ctx), r.conn.StepBudget(),
	} {
		if !at.IsZero() {
			until = earliest(until, at)
		}
	}
	if now := r.Now(); now.Equal(before) {
		r.pass(max(until.Sub(now), time.Millisecond))
	}
}

func TestAListingTakesAboutAsLongAsItsPages(t *testing.T) {
	tests := []struct {
		name     string
		webhooks int
		allows   func() limit
		says     bool
		fails    func(int) bool
		// pace is how many calls a second can be made at best.
		pace float64
		// most is how much longer than that a listing may take, at least being the time it takes to find the limit.
		most float64
	}{
		{name: "no limit", webhooks: 10000, pace: 10, most: 1.1},
		{name: "one answer in 25 is a 502", webhooks: 10000, fails: func(n int) bool { return n%25 == 0 }, pace: 10, most: 1.3},
		{name: "one answer in 5 is a 502", webhooks: 5000, fails: func(n int) bool { return n%5 == 0 }, pace: 10, most: 2.5},
		{name: "a window of a minute for 60", webhooks: 5000, allows: func() limit { return window(60, time.Minute) }, says: true, pace: 1, most: 1.5},
		{name: "60 a minute, a second's worth at once", webhooks: 5000, allows: func() limit { return bucket(1, 1) }, says: true, pace: 1, most: 1.5},
		{name: "100 a minute", webhooks: 10000, allows: func() limit { return window(100, time.Minute) }, says: true, pace: 1.67, most: 1.5},
		{name: "60 a minute for 10,000", webhooks: 10000, allows: func() limit { return window(60, time.Minute) }, says: true, pace: 1, most: 1.5},
		{name: "20 a minute", webhooks: 3000, allows: func() limit { return window(20, time.Minute) }, says: true, pace: .333, most: 1.5},
		{name: "10 a minute, unsaid", webhooks: 600, allows: func() limit { return bucket(1./6, 1) }, pace: 1. / 6, most: 2},
	}
	for _, test := range tests {
		for _, jittered := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, jitter %t", test.name, jittered), func(t *testing.T) {
				r := newRig(t, test.webhooks)
				r.says, r.fails = test.says, test.fails
				if test.allows != nil {
					r.allows = test.allows()
				}
				if jittered {
					r.cfg.Jitter = func(d time.Duration) time.Duration { return d + d/10 }
				}
				r.connect()
				r.conn.Subscribe("a", "", NaturalKey{})
				atBest := time.Duration(float64(pages(test.webhooks)) / test.pace * float64(time.Second))
				for r.conn.Listing().BeganAt.IsZero() && r.Now().Sub(noon) < 20*atBest {
					r.step(time.Minute)
				}
				took := r.Now().Sub(noon)
				t.Logf("%d calls, %d refused, took %v of %v at best", r.calls, r.refused, took, atBest)
				if took.Seconds() > test.most*atBest.Seconds()+5 || r.conn.Listing().Count != test.webhooks {
					t.Errorf("it took %v, at best %v, and shows %d", took, atBest, r.conn.Listing().Count)
				}
			})
		}
	}
}

func TestAListingIsGivenUpAfterMinutesOfFailing(t *testing.T) {
	r := newRig(t, 150).connect()
	r.conn.Subscribe("a", "", NaturalKey{})
	r.conn.StepListing(t.Context())
	r.fails = func(int) bool { return true }
	for r.Now().Sub(noon) < scanPatience-10*time.Second {
		r.step(time.Second)
	}
	if r.conn.State().Access != Down || r.conn.lister.scan == nil {
		t.Fatalf("while the Hub is down the listing is %+v, the state %+v", r.conn.lister.scan, r.conn.State())
	}
	for r.Now().Sub(noon) < 2*scanPatience {
		r.step(time.Second)
	}
	r.fails = nil
	back := r.Now()
	for r.conn.Listing().BeganAt.IsZero() && r.Now().Sub(back) < 10*time.Minute {
		r.step(time.Second)
	}
	if began := r.conn.Listing().BeganAt; began.Before(back) {
		t.Errorf("the listing that came out whole began at %v, the Hub was back at %v", began, back)
	}
}

func TestAListingThatIsRepeatedPageByPageKnowsOwnWrites(t *testing.T) {
	r := newRig(t, 150).connect()
	r.conn.Subscribe("a", "", NaturalKey{})
	r.conn.StepListing(t.Context())
	r.pass(time.Minute)
	made, err := r.conn.Create(t.Context(), "a", createOf(naturalOf(1000)))
	if err != nil {
		t.Fatal(err)
	}
	r.allows = func(now time.Time) (bool, time.Duration) { return now.After(noon.Add(2 * time.Minute)), 0 }
	for r.conn.Listing().BeganAt.IsZero() && r.Now().Sub(noon) < time.Hour {
		r.step(time.Second)
	}
	if listing := r.conn.Listing(); !listing.BeganAt.Equal(noon) || listing.Count != 151 {
		t.Errorf("the listing is %+v", listing)
	}
	if _, ok := r.conn.Find(made.ID); !ok {
		t.Error("what was registered meanwhile counts as gone")
	}
}

func createOf(key NaturalKey) hub.WebhookFields {
	return hub.WebhookFields{
		Label: new(key.Label), Endpoint: new(key.Endpoint), EventType: new(key.EventType), AuthenticationProtocol: new("NoAuthentication"),
	}
}

func TestTheFirstListingReportsHowFarItIs(t *testing.T) {
	r := newRig(t, 200).connect()
	r.conn.Subscribe("a", "", NaturalKey{})
	for n := range 4 {
		r.conn.StepListing(t.Context())
		if got := r.conn.Listing(); got.Pages != 5 || got.Read != n+1 {
			t.Errorf("after %d pages it is %+v", n+1, got)
		}
	}
	r.conn.StepListing(t.Context())
	if got := r.conn.Listing(); got.Pages != 0 || got.Count != 200 {
		t.Errorf("at its end it is %+v", got)
	}
	r.pass(time.Hour)
	r.conn.StepListing(t.Context())
	if got := r.conn.Listing(); got.Pages != 0 {
		t.Errorf("a later one is reported: %+v", got)
	}
}
