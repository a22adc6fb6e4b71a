package connection

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

func (w *world) pool() *Pool { return NewPool(w.cfg, w.client) }

func TestEachAPIKeyHasOneConnection(t *testing.T) {
	w := newWorld(t)
	p := w.pool()
	get := func(key string) *Connection {
		t.Helper()
		c, err := p.For(hub.NewSecret(key))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if first, again := get("one"), get("one"); first != again || first == get("two") {
		t.Error("the connections are not one for each key")
	}
	if _, err := p.For(hub.NewSecret("not\na header")); err == nil {
		t.Error("a key that cannot be sent has a connection")
	}
}

func TestAConnectionWithoutSubjectsEndsAfterAMinute(t *testing.T) {
	w := newWorld(t)
	var closed []string
	w.cfg.Metrics.Closed = func(key string) { closed = append(closed, key) }
	p := w.pool()
	used, _ := p.For(hub.NewSecret("used"))
	idle, _ := p.For(hub.NewSecret("idle"))
	for _, c := range p.connections {
		c.stop = func() {}
	}
	used.Subscribe("a", "", NaturalKey{})
	w.pass(idleTime)
	if p.sweep(); len(p.connections) != 2 {
		t.Fatal("a connection ended before its time")
	}
	w.pass(1)
	p.sweep()
	if again, _ := p.For(hub.NewSecret("idle")); again == idle || len(closed) != 1 || closed[0] != idle.Key() {
		t.Errorf("closed is %v", closed)
	}
	if again, _ := p.For(hub.NewSecret("used")); again != used {
		t.Error("a connection in use was ended")
	}
	w.pass(time.Second)
	used.Unsubscribe("a")
	w.pass(idleTime)
	for _, c := range p.connections {
		c.stop = func() {}
	}
	if p.sweep(); p.connections[used.Key()] == nil {
		t.Error("the minute does not begin when the last subject leaves")
	}
}

func TestARunningPoolListsForAKeyThatComesUpLater(t *testing.T) {
	w := newWorld(t)
	w.registered(60)
	p := w.pool()
	run(t, p)
	early, err := p.For(hub.NewSecret(apiKey))
	if err != nil {
		t.Fatal(err)
	}
	early.Subscribe("a", "", NaturalKey{})
	NewWithT(t).Eventually(func() int { return early.Listing().Count }).WithTimeout(time.Minute).Should(Equal(60))
}

func TestARunningConnectionGrantsTurnsAndListsBeyondItsBurst(t *testing.T) {
	w := newWorld(t)
	w.registered(120)
	w.cfg.Now, w.cfg.QPS, w.cfg.Burst = time.Now, 100, 1
	c := w.connect(apiKey)
	run(t, c)
	var wg sync.WaitGroup
	for n := range 20 {
		s := Subject(fmt.Sprint(n))
		c.Subscribe(s, "", naturalOf(n))
		wg.Go(func() {
			g := NewWithT(t)
			g.Eventually(func() bool {
				_, err := c.Get(t.Context(), s, "11111111-1111-4111-8111-111111111111", Repair)
				return err != nil && !errors.Is(err, ErrWait)
			}).WithTimeout(time.Minute).Should(BeTrue())
		})
	}
	wg.Wait()
	NewWithT(t).Eventually(func() int { return c.Listing().Count }).WithTimeout(time.Minute).Should(Equal(120))
}

func TestAKeyIsToldFromOthersByAHash(t *testing.T) {
	one := KeyHash("https://hub.example", hub.NewSecret("one"))
	// printf 'https://hub.example\none' | sha256sum
	if want := "a5b6e0e713b7477a"; one != want {
		t.Errorf("the hash is %s, want %s", one, want)
	}
	for _, url := range []string{"https://hub.example/", "HTTPS://Hub.Example", "https://HUB.example//"} {
		if got := KeyHash(url, hub.NewSecret("one")); got != one {
			t.Errorf("with %s the hash is another one", url)
		}
	}
	for url, key := range map[string]string{
		"https://hub.example": "two", "https://other.example": "one", "http://hub.example": "one",
		"https://hub.example:8443": "one", "https://hub.example/path": "one",
	} {
		if KeyHash(url, hub.NewSecret(key)) == one {
			t.Errorf("the hash of the key %s at %s is the same", key, url)
		}
	}
}
