package connection

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/internal/hub"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
)

func TestAllKeysTogetherReadABoundedNumberOfPages(t *testing.T) {
	r := newRig(t, 3)
	r.cfg.Now, r.answer = time.Now, 0
	r.cfg.Metrics.Listed = func(string, time.Time) {} // the rig counts the listings of one connection
	var atOnce, most, serving atomic.Int32
	release := make(chan struct{})
	transport := through(func(request *http.Request) (*http.Response, error) {
		n := atOnce.Add(1)
		defer atOnce.Add(-1)
		for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
			continue
		}
		<-release
		for !serving.CompareAndSwap(0, 1) {
			continue // the rig serves one call at a time
		}
		defer serving.Store(0)
		return r.roundTrip(request)
	})
	var all []*Connection
	for n := range 4 * pagesAtOnce {
		client, err := hub.New(hub.Config{BaseURL: "https://hub.example", APIKey: hub.NewSecret("key"), Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		c := New(r.cfg, client, fmt.Sprint(n))
		c.Subscribe("a", "", NaturalKey{})
		run(t, c)
		all = append(all, c)
	}
	g := NewWithT(t)
	g.Eventually(atOnce.Load).WithTimeout(time.Minute).Should(BeEquivalentTo(pagesAtOnce))
	close(release)
	for _, c := range all {
		g.Eventually(func() int { return c.Listing().Count }).WithTimeout(time.Minute).Should(Equal(3))
	}
	if n := most.Load(); n > pagesAtOnce {
		t.Errorf("%d pages were read at once", n)
	}
}

func TestAThousandAPIKeysOpenFewConnections(t *testing.T) {
	w := newWorld(t)
	w.cfg.Now = time.Now
	if err := w.AddFault(simulator.Fault{Kind: simulator.Slow, Delay: simulator.Duration(20 * time.Millisecond)}); err != nil {
		t.Fatal(err)
	}
	transport := hub.NewTransport(hub.TransportConfig{RootCAs: w.CAs})
	t.Cleanup(transport.CloseIdleConnections)
	p := NewPool(w.cfg, func(key hub.Secret) (*hub.Client, error) {
		return hub.New(hub.Config{BaseURL: w.URL, APIKey: key, Transport: transport})
	})
	run(t, p)
	var all []*Connection
	for n := range 1000 {
		key := fmt.Sprintf("key-%04d", n)
		w.AddApplication(key, key)
		c, err := p.For(hub.NewSecret(key))
		if err != nil {
			t.Fatal(err)
		}
		c.Subscribe("a", "", NaturalKey{})
		all = append(all, c)
	}
	for _, c := range all {
		NewWithT(t).Eventually(func() bool { return c.Listing().BeganAt.IsZero() }).WithTimeout(2 * time.Minute).Should(BeFalse())
	}
	t.Logf("%d connections at once", w.MostOpen())
	// Those of quick and of slow keys, and as many that are idle.
	if most := 2*pagesAtOnce + transport.MaxIdleConnsPerHost; w.MostOpen() > most {
		t.Errorf("%d connections were open at once, more than %d", w.MostOpen(), most)
	}
}

func TestKeysThatAreSlowDoNotKeepOthersFromReadingPages(t *testing.T) {
	rooms := newPageRooms()
	entered := 0
	for range 10 * pagesAtOnce {
		slow := rooms.join(func() {})
		slow.ended(noon, noon.Add(slowCall+1))
		if slow.enter() {
			entered++
		}
	}
	if entered != pagesAtOnce {
		t.Errorf("%d slow keys read pages at once", entered)
	}
	quick := rooms.join(func() {})
	quick.ended(noon, noon.Add(slowCall))
	if !quick.enter() || !rooms.join(func() {}).enter() {
		t.Error("a key that is quick, or new, finds no room")
	}
}

func TestWhoWaitsForItsTurnToReadAPageHasItInOrder(t *testing.T) {
	rooms := newPageRooms()
	var reading []*pageTurn
	for range pagesAtOnce {
		turn := rooms.join(func() {})
		turn.enter()
		reading = append(reading, turn)
	}
	kicked := ""
	waiting := map[string]*pageTurn{}
	for _, name := range []string{"a", "b", "c"} {
		waiting[name] = rooms.join(func() { kicked += name })
		for range 2 {
			if waiting[name].enter() {
				t.Fatal("there is no bound")
			}
		}
	}
	waiting["b"].leave()
	reading[0].leave()
	if !waiting["a"].enter() || waiting["c"].enter() || rooms.join(func() {}).enter() {
		t.Error("the turn is not that of the one who came first")
	}
	reading[1].leave()
	if !waiting["c"].enter() || kicked != "ac" {
		t.Errorf("kicked are %q", kicked)
	}
	for _, turn := range append(reading, waiting["a"], waiting["c"]) {
		turn.leave()
		turn.leave()
	}
	if rooms.quick.free != pagesAtOnce-1 { // one more waited, and has its turn
		t.Errorf("%d are free", rooms.quick.free)
	}
}
