package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/hack/campaign/store"
)

const home = "home"

// inHome is an empty store but for one namespace.
func inHome(t *testing.T) *store.Store {
	t.Helper()
	s := newStore(t)
	must(t, s.Live().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: home}}))
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put writes a value to the Secret of a name.
func put(t *testing.T, c client.Client, name, value string) {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: name}}
	err := c.Get(t.Context(), client.ObjectKeyFromObject(secret), secret)
	secret.Data = map[string][]byte{"v": []byte(value)}
	if apierrors.IsNotFound(err) {
		must(t, c.Create(t.Context(), secret))
		return
	}
	must(t, c.Update(t.Context(), secret))
}

// value is what a reader shows of a Secret.
func value(t *testing.T, r client.Reader, name string) string {
	t.Helper()
	secret := &corev1.Secret{}
	err := r.Get(t.Context(), client.ObjectKey{Namespace: home, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return "none"
	}
	must(t, err)
	return string(secret.Data["v"])
}

func want[T any](t *testing.T, got, want T, what string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestAViewIsBehindBySomeWritesToTheKind(t *testing.T) {
	s := inHome(t)
	live, view := s.Live(), s.View(0, 2)
	for i := range 4 {
		put(t, live, "a", fmt.Sprint(i))
		want(t, value(t, view, "a"), []string{"none", "none", "0", "1"}[i], "two writes behind")
	}
	must(t, live.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: "other"}}))
	want(t, value(t, view, "a"), "1", "after a write to another kind")
	want(t, value(t, live, "a"), "3", "without a cache")
}

func TestAViewNeverGoesBackButANewOneMay(t *testing.T) {
	s := inHome(t)
	live, view := s.Live(), s.View(0, store.Fresh)
	put(t, live, "a", "first")
	put(t, live, "a", "0")
	old := s.Revision()
	put(t, live, "a", "1")
	want(t, value(t, view, "a"), "1", "fresh")

	must(t, view.SetLag(&corev1.Secret{}, 2))
	want(t, value(t, view, "a"), "1", "what was shown before it began to lag")
	must(t, view.SetLag(&corev1.Secret{}, store.Frozen))
	put(t, live, "a", "2")
	want(t, value(t, view, "a"), "1", "frozen")
	want(t, value(t, s.View(old, store.Frozen), "a"), "0", "a new view of the past")
	must(t, view.SetLag(&corev1.Secret{}, store.Fresh))
	want(t, value(t, view, "a"), "2", "fresh again")
}

func TestAnObjectThatIsGoneIsShownAsItWas(t *testing.T) {
	s := inHome(t)
	live, view := s.Live(), s.View(0, 1)
	put(t, live, "a", "0")
	must(t, live.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: "a"}}))
	want(t, value(t, view, "a"), "0", "one write behind")
	want(t, value(t, live, "a"), "none", "without a cache")
	must(t, view.SetLag(&corev1.Secret{}, store.Fresh))
	want(t, value(t, view, "a"), "none", "fresh")
}

func TestAWriteThroughAStaleViewConflicts(t *testing.T) {
	s := inHome(t)
	put(t, s.Live(), "a", "0")
	stale := s.View(s.Revision(), store.Frozen).Client()
	put(t, s.Live(), "a", "1")

	secret := &corev1.Secret{}
	must(t, stale.Get(t.Context(), client.ObjectKey{Namespace: home, Name: "a"}, secret))
	secret.Labels = map[string]string{"l": "1"}
	if err := stale.Update(t.Context(), secret); !apierrors.IsConflict(err) {
		t.Errorf("want a conflict, got %v", err)
	}
	want(t, value(t, s.Live(), "a"), "1", "what is stored")
}

// tell tells events in short.
func tell(t *testing.T, events []store.Event, err error) []string {
	t.Helper()
	must(t, err)
	told := []string{}
	for _, e := range events {
		object, former := e.New, e.Old
		if e.Type == watch.Deleted {
			object = e.Old
		}
		told = append(told, fmt.Sprintf("%s %s %T labels %v former %t",
			e.Type, e.Key.Name, object, object.GetLabels(), former != nil))
	}
	return told
}

func TestEventsTellWhatAViewHasComeToShow(t *testing.T) {
	s := inHome(t)
	live, view := s.Live(), s.View(0, 1)
	view.Transform = func(in any) (any, error) {
		if o, ok := in.(client.Object); ok {
			o.SetLabels(map[string]string{"seen": "1"})
		}
		return in, nil
	}
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(secretKind)
	events := func() []string {
		events, err := view.Events(meta)
		return tell(t, events, err)
	}
	put(t, live, "a", "0")
	put(t, live, "b", "0")
	want(t, events(), []string{"ADDED a *v1.PartialObjectMetadata labels map[seen:1] former false"}, "the first list")
	put(t, live, "a", "1")
	want(t, value(t, view, "b"), "0", "a read moves on")
	must(t, live.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: "b"}}))
	put(t, live, "c", "0")
	want(t, events(), []string{
		"ADDED b *v1.PartialObjectMetadata labels map[seen:1] former false",
		"MODIFIED a *v1.PartialObjectMetadata labels map[seen:1] former true",
		"DELETED b *v1.PartialObjectMetadata labels map[seen:1] former true",
	}, "what came to be shown, by a read or not")
	want(t, events(), []string{}, "nothing new")
}

func TestListsFromAViewGoByIndexesAndLabels(t *testing.T) {
	s := inHome(t)
	view := s.View(0, store.Fresh)
	for name, label := range map[string]string{"b": "1", "a": "1", "c": "2"} {
		must(t, s.Live().Create(t.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: name, Labels: map[string]string{"l": label}},
			Data:       map[string][]byte{"v": []byte(label)},
		}))
	}
	names := func(options ...client.ListOption) string {
		var list corev1.SecretList
		if err := view.List(t.Context(), &list, options...); err != nil {
			return err.Error()
		}
		found := []string{}
		for i := range list.Items {
			found = append(found, list.Items[i].Name)
		}
		return strings.Join(found, " ")
	}
	want(t, names(), "a b c", "all, in order")
	want(t, names(client.MatchingLabels{"l": "1"}), "a b", "by label")
	want(t, names(client.InNamespace("elsewhere")), "", "in another namespace")
	want(t, names(client.MatchingFields{"value": "2"}), "index with name field:value does not exist", "no index")
	must(t, view.IndexField(t.Context(), &corev1.Secret{}, "value", func(o client.Object) []string {
		s, _ := o.(*corev1.Secret)
		return []string{string(s.Data["v"])}
	}))
	want(t, names(client.MatchingFields{"value": "2"}), "c", "by index")
}

var errLost = errors.New("lost")

func TestTheHookDecidesWhatBecomesOfARequest(t *testing.T) {
	s := inHome(t)
	view := s.View(0, store.Fresh)
	c := view.Client()
	var asked []string
	var later func() error
	how := "carry out"
	s.Hook = func(_ context.Context, call store.Call, next func() error) error {
		asked = append(asked, strings.TrimSpace(strings.Join(
			[]string{call.Verb, call.Kind.Kind, call.Key.Name, call.Subresource}, " ")))
		switch how {
		case "lose the request":
			return errLost
		case "lose the answer":
			return errors.Join(errLost, next())
		case "do it later":
			later = next
			return errLost
		case "pretend":
			return nil
		}
		return next()
	}
	secret := func(name string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: name}}
	}
	there := func(name string) bool {
		return c.Get(t.Context(), types.NamespacedName{Namespace: home, Name: name}, &corev1.Secret{}) == nil
	}

	must(t, c.Create(t.Context(), secret("a")))
	how = "lose the request"
	want(t, errors.Is(c.Create(t.Context(), secret("b")), errLost), true, "the request is lost")
	want(t, there("b"), false, "b is there")
	how = "lose the answer"
	unanswered := secret("c")
	want(t, errors.Is(c.Create(t.Context(), unanswered), errLost), true, "the answer is lost")
	want(t, there("c"), true, "c is there")
	want(t, unanswered.UID, "", "the UID that nobody was told")
	how = "do it later"
	changed := secret("d")
	want(t, errors.Is(c.Create(t.Context(), changed), errLost), true, "the request waits somewhere")
	want(t, there("d"), false, "d is there")
	changed.Name = "not what was sent"
	must(t, later())
	want(t, there("d"), true, "d is there in the end")
	how = "pretend"
	want(t, c.Delete(t.Context(), secret("a")) != nil, true, "a success that was none is told")
	want(t, there("a"), true, "a is there")

	how = "carry out"
	asked = nil
	live := s.Live()
	must(t, live.Get(t.Context(), types.NamespacedName{Namespace: home, Name: "a"}, &corev1.Secret{}))
	must(t, live.List(t.Context(), &v1alpha1.Chatt2WebhookList{}))
	want(t, apierrors.IsNotFound(live.Status().Patch(t.Context(),
		&v1alpha1.Chatt2Webhook{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: "w"}},
		client.RawPatch(types.MergePatchType, []byte(`{}`)))), true, "there is no w")
	must(t, view.Get(t.Context(), types.NamespacedName{Namespace: home, Name: "a"}, &corev1.Secret{}))
	must(t, live.DeleteAllOf(t.Context(), &corev1.Secret{}, client.InNamespace(home)))
	want(t, there("a"), false, "a is there after all Secrets were deleted")
	want(t, asked, []string{
		"get Secret a", "list Chatt2Webhook", "patch Chatt2Webhook w status", "deletecollection Secret",
	}, "what the hook was asked: nothing that a view answers")
}

func TestACallWhoseContextHasEndedIsNotCarriedOut(t *testing.T) {
	s := inHome(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Live().Create(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: "a"}})
	want(t, errors.Is(err, context.Canceled), true, "it is cancelled")
	want(t, value(t, s.Live(), "a"), "none", "what was stored")
}

func TestTheSameCallsGiveTheSameStore(t *testing.T) {
	kinds := newStore(t)
	run := func() []string {
		s := kinds.Empty(func() time.Time { return time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC) })
		must(t, s.Live().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: home}}))
		w := newWorld(s.Live(), home)
		for _, o := range sequence(1) {
			o.run(t.Context(), w)
		}
		events, err := s.Events(0)
		must(t, err)
		told := []string{}
		for _, e := range events {
			text, err := json.Marshal(e)
			must(t, err)
			told = append(told, string(text))
		}
		return told
	}
	first := run()
	want(t, slices.Equal(first, run()), true, "the same twice")
	want(t, len(first) > 20, true, "enough happened")
	want(t, kinds.Revision(), 0, "the revision of the store whose kinds were taken")
}

func TestOnlyTheServerMarksAsDeleted(t *testing.T) {
	s := inHome(t)
	c := s.Live()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: "a", Finalizers: []string{"a.b/c"}}}
	must(t, c.Create(t.Context(), secret))
	past := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"deletionTimestamp":"2020-01-01T00:00:00Z"}}`))
	want(t, apierrors.IsInvalid(c.Patch(t.Context(), secret.DeepCopy(), past)), true, "a patch may not delete")
	must(t, c.Delete(t.Context(), secret))
	marked := secret.DeepCopy()
	must(t, c.Patch(t.Context(), marked, past))
	want(t, marked.DeletionTimestamp.Year(), 2026, "a deletion keeps its time")
	more := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":["a.b/c","a.b/d"]}}`))
	want(t, apierrors.IsInvalid(c.Patch(t.Context(), marked, more)), true, "no finalizer comes to a deletion")
}

func TestWhatTheStoreDoesNotDoItRefuses(t *testing.T) {
	c := inHome(t).Live()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: home, Name: "a"}}
	for what, err := range map[string]error{
		"dry run":    c.Delete(t.Context(), secret, client.DryRunAll),
		"pages":      c.List(t.Context(), &corev1.SecretList{}, client.Limit(1)),
		"other kind": c.Create(t.Context(), &corev1.Pod{ObjectMeta: secret.ObjectMeta}),
		"token":      c.SubResource("token").Get(t.Context(), secret, secret),
	} {
		want(t, err != nil, true, what+" is refused")
	}
}
