package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

const (
	// sequences is how many sequences of operations are tried, each in a fresh namespace; more by STORE_SEQUENCES.
	sequences = 12
	// length is how many operations a sequence has.
	length = 200
)

// seeds are those of the sequences: counted from 1, or from STORE_SEED.
func seeds(tb testing.TB) []uint64 {
	tb.Helper()
	first, count := 1, sequences
	for name, value := range map[string]*int{"STORE_SEED": &first, "STORE_SEQUENCES": &count} {
		text, ok := os.LookupEnv(name)
		if !ok {
			continue
		}
		var err error
		if *value, err = strconv.Atoi(text); err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
	}
	all := make([]uint64, count)
	for i := range all {
		all[i] = uint64(first + i)
	}
	return all
}

// sequence makes the operations of a seed. At three quarters the namespace is deleted.
func sequence(seed uint64) []operation {
	r := random{rand.New(rand.NewPCG(seed, 0))}
	operations := make([]operation, 0, length)
	for range length {
		operations = append(operations, r.operation())
	}
	operations[length*3/4] = deleteNamespace
	return operations
}

var deleteNamespace = operation{"delete the namespace", func(ctx context.Context, w *world) string {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	err := w.Delete(ctx, namespace)
	if err == nil {
		err = w.settle(ctx)
	}
	return complaint(err)
}}

func TestTheStoreAnswersAsARealAPIServer(t *testing.T) {
	server, err := client.New(shared.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			operations := sequence(seed)
			if found := compare(t, server, operations); found != nil {
				shrunk, found := shrink(t, server, operations[:found.at+1], found)
				t.Errorf("STORE_SEED=%d STORE_SEQUENCES=1 differs (-real +store):\n%s\nafter:\n%s",
					seed, found.text, labels(shrunk))
			}
		})
	}
}

func labels(operations []operation) string {
	var told strings.Builder
	for _, o := range operations {
		fmt.Fprintln(&told, "  ", o.label)
	}
	return told.String()
}

// diff tells how two answers differ, in not too many words.
func diff(want, got string) string {
	const most = 3000
	return fmt.Sprintf("%.*s\n- %.*s\n+ %.*s", most, cmp.Diff(want, got), most, want, most, got)
}

type difference struct {
	at   int
	text string
}

// compare runs operations in both worlds, and tells the first difference.
func compare(t *testing.T, server client.Client, operations []operation) *difference {
	t.Helper()
	there, here := worlds(t, server, newStore(t))
	for i, o := range operations {
		want, got := o.run(t.Context(), there), o.run(t.Context(), here)
		if want != got {
			return &difference{i, diff(want, got)}
		}
		if i%10 != 9 && i != len(operations)-1 {
			continue
		}
		for _, kind := range kinds {
			want, got := there.list(t.Context(), kind, false), here.list(t.Context(), kind, false)
			if want != got {
				return &difference{i, "what there is of " + kind.Kind + diff(want, got)}
			}
		}
	}
	return nil
}

// worlds are a real one and one in memory, each with an empty namespace of the same name.
func worlds(t *testing.T, server client.Client, s *store.Store) (there, here *world) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "store-"}}
	if err := server.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	same := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace.Name}}
	if err := s.Live().Create(t.Context(), same); err != nil {
		t.Fatal(err)
	}
	there, here = newWorld(server, namespace.Name), newWorld(s.Live(), namespace.Name)
	there.settle = func(ctx context.Context) error { return awaitTermination(ctx, server, namespace.Name) }
	return there, here
}

// awaitTermination waits until admission knows that a namespace is going, which it learns a moment later.
func awaitTermination(ctx context.Context, c client.Client, namespace string) error {
	return wait.PollUntilContextTimeout(ctx, 5*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		probe := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "probe"}}
		err := c.Create(ctx, probe, client.DryRunAll)
		return apierrors.IsForbidden(err), nil
	})
}

// shrink leaves out operations as long as the rest differs still, and tells the difference that is left.
func shrink(t *testing.T, server client.Client, operations []operation, found *difference) ([]operation, *difference) {
	t.Helper()
	for part := len(operations) / 2; part > 0; part /= 2 {
		for from := 0; from+part <= len(operations); {
			rest := slices.Delete(slices.Clone(operations), from, from+part)
			if still := compare(t, server, rest); still != nil {
				operations, found = rest, still
			} else {
				from += part
			}
		}
	}
	return operations, found
}
