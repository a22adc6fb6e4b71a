package connection

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// registrant registers a webhook and observes it until it is verified, as the controller does.
type registrant struct {
	made     hubWebhook
	since    time.Time
	observed time.Time
}

// registering has n webhooks registered whose endpoints the Hub verifies later, and returns how long it took each time
// until a verification was observed.
type registering struct {
	*rig
	all   []*registrant
	by    map[Subject]int
	began time.Time
	// first is how long it took until the first of all was observed, lags for each how long after its verification.
	first time.Duration
	lags  []time.Duration
}

func (r *rig) registerAll(n int) *registering {
	r.t.Helper()
	all := &registering{rig: r, by: map[Subject]int{}, began: r.Now()}
	chance := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		s := Subject(fmt.Sprint(i))
		all.by[s] = i
		all.all = append(all.all, &registrant{})
		r.conn.Subscribe(s, "", naturalOf(100000+i))
	}
	for r.conn.Listing().BeganAt.IsZero() {
		r.step(time.Second)
	}
	r.take()
	for i := range n {
		all.create(i, chance)
		all.step(time.Millisecond)
		all.next(chance)
	}
	for len(all.lags) < n && r.Now().Sub(all.began) < time.Hour {
		all.step(50 * time.Millisecond)
		all.next(chance)
	}
	return all
}

// next has those work that are woken.
func (r *registering) next(chance *rand.Rand) {
	for s := range r.take() {
		r.work(r.by[s], chance)
	}
}

func (r *registering) create(i int, chance *rand.Rand) {
	each := r.all[i]
	r.verifies = 50*time.Millisecond + time.Duration(chance.Int64N(int64(1950*time.Millisecond)))
	got, err := r.conn.Create(r.t.Context(), Subject(fmt.Sprint(i)), createOf(naturalOf(100000+i)))
	if errors.Is(err, ErrWait) {
		return
	}
	if err != nil {
		return
	}
	each.made, each.since = r.made[r.place[got.ID]], r.Now()
	r.conn.Subscribe(Subject(fmt.Sprint(i)), got.ID, naturalOf(100000+i))
}

// work is what a resource does that is woken.
func (r *registering) work(i int, chance *rand.Rand) {
	each := r.all[i]
	switch {
	case each.since.IsZero():
		r.create(i, chance)
		return
	case !each.observed.IsZero():
		return
	}
	if seen, ok := r.conn.Find(each.made.id); ok && seen.Webhook.IsVerified {
		each.observed = r.Now()
		r.lags = append(r.lags, each.observed.Sub(each.made.verified))
		if r.first == 0 {
			r.first = each.observed.Sub(r.began)
		}
	}
}

// lag is how long a share of all was observed after its verification at most.
func (r *registering) lag(share float64) time.Duration {
	slices.Sort(r.lags)
	return r.lags[int(share*float64(len(r.lags)-1))]
}

func TestVerificationsAreObservedWhileOthersAreRegistered(t *testing.T) {
	tests := []struct {
		name        string
		there, n    int
		qps         float64
		burst       int
		answer      time.Duration
		newestFirst bool
		lag         float64
		most, first time.Duration
	}{
		{"1,000 with defaults", 0, 1000, 10, 20, 20 * time.Millisecond, false, .9, 10 * time.Second, 15 * time.Second},
		{"1,000, newest first", 0, 1000, 10, 20, 20 * time.Millisecond, true, .9, 10 * time.Second, 15 * time.Second},
		{"1,000 beside 5,000", 5000, 1000, 10, 20, 20 * time.Millisecond, false, .9, 10 * time.Second, time.Minute},
		{"2,000 with defaults", 0, 2000, 10, 20, 20 * time.Millisecond, false, .9, 10 * time.Second, 15 * time.Second},
		{"1,000 at 1,000 a second", 0, 1000, 1000, 100, 5 * time.Millisecond, false, .99, 5 * time.Second, 5 * time.Second},
		{"2,000 at 1,000 a second", 0, 2000, 1000, 100, 5 * time.Millisecond, false, .99, 5 * time.Second, 5 * time.Second},
		{"10,000 at 1,000 a second", 0, 10000, 1000, 100, 5 * time.Millisecond, false, .99, 5 * time.Second, 5 * time.Second},
		{"ten at once", 0, 10, 10, 20, 20 * time.Millisecond, false, 1, time.Second, 2 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, test.there)
			r.cfg.QPS, r.cfg.Burst, r.answer, r.newestFirst = test.qps, test.burst, test.answer, test.newestFirst
			r.connect()
			all := r.registerAll(test.n)
			// What is there besides is polled, however many are registered.
			polled := r.listings * pages(test.there)
			if scan := r.conn.lister.scan; scan != nil {
				polled += scan.read
			}
			calls := float64(r.calls-polled) / float64(test.n)
			t.Logf("%v for all, the first after %v, observed after %v, %v, %v (50, 90, 99 %%), %.3f calls each, %d lists",
				r.Now().Sub(all.began), all.first, all.lag(.5), all.lag(.9), all.lag(.99), calls, r.lists)
			if len(all.lags) < test.n || all.lag(test.lag) > test.most || all.first > test.first {
				t.Errorf("%d of %d are observed, %.0f %% after %v, the first after %v", len(all.lags), test.n, 100*test.lag,
					all.lag(test.lag), all.first)
			}
			if calls > 1.1 && test.n > 10 {
				t.Errorf("%.3f calls were made for each", calls)
			}
		})
	}
}

func TestPollingTakesAFifthOfTheRateAtMost(t *testing.T) {
	r := newRig(t, 2000)
	r.cfg.QPS = 2
	r.connect()
	r.conn.Subscribe("a", "", NaturalKey{})
	for r.Now().Sub(noon) < 30*time.Minute {
		r.step(time.Minute)
	}
	share := float64(r.lists) / (2 * r.Now().Sub(noon).Seconds())
	if share > .21 || share < .15 {
		t.Errorf("%d calls, %.1f %% of the rate", r.lists, 100*share)
	}
}

func TestAWebhookThatIsNotWhereItIsLookedForIsFoundByAListing(t *testing.T) {
	r := newRig(t, 400).connect()
	r.conn.Subscribe("a", "", NaturalKey{})
	for r.conn.Listing().BeganAt.IsZero() {
		r.step(time.Second)
	}
	r.made = slices.Clone(r.made[150:])
	for n, w := range r.made {
		r.place[w.id] = n
	}
	r.pass(10 * time.Second)
	asked := r.Now()
	lists := r.lists
	for n, w := range r.made[200:210] {
		s := Subject(fmt.Sprint(n))
		r.conn.Subscribe(s, w.id, w.key)
		_, _, _ = r.conn.Look(t.Context(), s, w.id)
	}
	for woken := r.take(); woken["9"] == 0; woken = r.take() {
		if r.step(100 * time.Millisecond); r.Now().Sub(asked) > 30*time.Second {
			t.Fatal("the webhook is not observed")
		}
	}
	if seen, ok := r.conn.Find(r.made[209].id); !ok || seen.SeenAt.Before(asked) {
		t.Errorf("it was seen %v before it was asked for", asked.Sub(seen.SeenAt))
	}
	if n := r.lists - lists; n > 1+pages(400) {
		t.Errorf("%d pages were read", n)
	}
	if r.conn.observations.of[r.made[209].id] != nil {
		t.Error("it is to be observed still")
	}
}

func TestWhoIsUnsubscribedIsNotObserved(t *testing.T) {
	r := newRig(t, 400).connect()
	r.conn.Subscribe("a", "", NaturalKey{})
	for r.conn.Listing().BeganAt.IsZero() {
		r.step(time.Second)
	}
	for n, w := range r.made[:10] {
		s := Subject(fmt.Sprint(n))
		r.conn.Subscribe(s, w.id, w.key)
		_, _, _ = r.conn.Look(t.Context(), s, w.id)
		r.conn.Unsubscribe(s)
	}
	lists := r.lists
	for range 20 {
		r.step(100 * time.Millisecond)
	}
	if r.lists > lists || len(r.conn.observations.of) > 0 {
		t.Errorf("%d pages were read, %d wait", r.lists-lists, len(r.conn.observations.of))
	}
}
