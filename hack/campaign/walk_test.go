package campaign_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// walk is a random sequence of what users do, of faults, and of what happens to the cluster, with several resources in
// two namespaces and two Applications. All of it follows from the seed, and some of its steps may be left out.
type walk struct {
	seed uint64
	// hub is the Hub of hubs that it is on.
	hub string
	// kept are the steps that are taken, nil for all.
	kept []int
}

// step is one step of a walk. What on and arg mean is up to what is done.
type step struct {
	do      string
	on, arg int
	wait    time.Duration
}

const (
	away = "away"
	// mostResources is how many resources a walk may have.
	mostResources = 4
	// walkedSteps is how many steps a walk has.
	walkedSteps = 24
)

// String is how a walk is written for CAMPAIGN_REPLAY, such as "walk/17/3,4,9", or "walk@reads-lag/17/".
func (k walk) String() string {
	var kept []string
	for _, i := range k.kept {
		kept = append(kept, strconv.Itoa(i))
	}
	return fmt.Sprintf("%s/%d/%s", onHub("walk", k.hub), k.seed, strings.Join(kept, ","))
}

// parseWalk reads what String writes.
func parseWalk(text string) (walk, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return walk{}, fmt.Errorf("%q is not walk/seed/steps", text)
	}
	seed, err := strconv.ParseUint(parts[1], 10, 64)
	k := walk{seed: seed}
	_, k.hub, _ = strings.Cut(parts[0], "@")
	for _, i := range strings.FieldsFunc(parts[2], func(c rune) bool { return c == ',' }) {
		n, bad := strconv.Atoi(i)
		if bad != nil {
			return walk{}, bad
		}
		k.kept = append(k.kept, n)
	}
	return k, err
}

// likely is how likely each thing is to be done.
var likely = []struct {
	do     string
	weight int
}{
	{"create", 8},
	{"delete", 4},
	{"update", 5},
	{"sign", 4},
	{"rotate", 4},
	{"ask", 2},
	{"suspend", 2},
	{"remove on the Hub", 2},
	{"drift", 2},
	{"fault", 16},
	{"restart", 2},
	{"lag", 4},
	{"freeze", 3},
	{"wipe status", 2},
	{"wipe Secret", 2},
	{"swap key", 1},
	{"snapshot", 2},
	{"restore", 1},
	{"wait", 4},
}

// steps are all steps of a walk.
func (k walk) steps() []step {
	random := rand.New(rand.NewPCG(k.seed, 0))
	total := 0
	for _, l := range likely {
		total += l.weight
	}
	steps := []step{{"create", 0, random.IntN(1000), time.Second}}
	for len(steps) < walkedSteps {
		n := random.IntN(total)
		i := 0
		for ; n >= likely[i].weight; i++ {
			n -= likely[i].weight
		}
		wait := []time.Duration{0, 0, 100 * time.Millisecond, 3 * time.Second, 15 * time.Second, 2 * time.Minute}
		steps = append(steps, step{
			likely[i].do, random.IntN(mostResources), random.IntN(1000), wait[random.IntN(len(wait))],
		})
	}
	return steps
}

// play runs the walk.
func (k walk) play() result {
	return inWorld(k.hub, func(w *world) int {
		w.otherApplication()
		w.newKey(w.app.ID, canary+"key-second")
		keys := []string{apiKey, otherKey}
		w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: away}})
		w.create(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: away, Name: "api-key"},
			Data:       map[string][]byte{"apiKey": []byte(keys[k.seed%2])},
		})
		w.arm(schedule{reads: fresh})
		w.collects = true
		for i, s := range k.steps() {
			if k.kept != nil && !slices.Contains(k.kept, i) || w.over() {
				continue
			}
			w.gate.note(fmt.Sprintf("step %d: %s %d (%d), then %s", i, s.do, s.on, s.arg, s.wait))
			w.take(s)
			w.check()
			w.run(s.wait)
		}
		w.gate.note("the end of all faults")
		w.makePeace()
		return w.rest()
	})
}

// resourceOf is the name of the resource of that number. The first and the last declare the same webhook.
func resourceOf(n int) types.NamespacedName {
	return types.NamespacedName{Namespace: []string{home, away}[n%2], Name: fmt.Sprintf("r%d", n)}
}

// faulty are the steps that are faults. The others are what users do, and what time brings.
var faulty = []string{"fault", "restart", "lag", "freeze", "wipe status", "wipe Secret", "restore"}

// faults counts the faults among the steps that are taken.
func (k walk) faults() int {
	n := 0
	for i, s := range k.steps() {
		if slices.Contains(faulty, s.do) && (k.kept == nil || slices.Contains(k.kept, i)) {
			n++
		}
	}
	return n
}

// shrink leaves out steps of a walk that failed, for as long as it fails without them in the same way.
func (k walk) shrink(failed result) (walk, result) {
	if k.kept == nil {
		for i := range k.steps() {
			k.kept = append(k.kept, i)
		}
	}
	for size := len(k.kept) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(k.kept); {
			less := walk{k.seed, k.hub, slices.Delete(slices.Clone(k.kept), at, at+size)}
			if r := less.play(); len(r.broken) > 0 && invariantOf(r) == invariantOf(failed) {
				k, failed = less, r
			} else {
				at += size
			}
		}
	}
	return k, failed
}

// invariantOf is what did not hold first.
func invariantOf(r result) string {
	invariant, _, _ := strings.Cut(r.broken[0], ":")
	return invariant
}
