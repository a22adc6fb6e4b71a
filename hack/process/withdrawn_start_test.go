package process_test

import (
	"net/http"
	"testing"

	. "github.com/onsi/gomega"
)

// notWatched is a shard without resources, for operators that are only to start.
const notWatched = "--watch-label-selector=" + shard + "=nobody"

// unstreamed makes the operator list as API servers want it that do not stream lists.
const unstreamed = "KUBE_FEATURE_WatchListClient=false"

// atStart are the rights by which the operator learns what there is.
var atStart = []withdrawal{
	// Without a watch it lists again and again, and sees a change late.
	{right: "watch chatt2webhooks.hub.chatt2.me", step: isRefused("watch chatt2webhooks.hub.chatt2.me")},
	{right: "watch secrets", step: isRefused("watch secrets")},
	{right: "watch configmaps", step: isRefused("watch configmaps")},
	{right: "list secrets", step: neverReady("list secrets")},
	{right: "list configmaps", step: neverReady("list configmaps")},
}

// isRefused starts an operator and sees that it is refused something.
func isRefused(right string) func(*world, *installation) {
	return func(w *world, i *installation) {
		w.Helper()
		o := w.launch(i, notWatched)
		w.wasRefused(i, right)
		o.kill()
	}
}

// neverReady starts an operator that may not list, and sees that it does not get ready.
func neverReady(right string) func(*world, *installation) {
	return func(w *world, i *installation) {
		w.Helper()
		w.env = []string{unstreamed}
		o := w.launch(i, notWatched)
		w.wasRefused(i, right)
		code, err := w.status("http://" + o.probes + "/readyz")
		if err == nil && code == http.StatusOK {
			w.Errorf("the operator is ready without the right to %s", right)
		}
		if code, _ := o.terminate(patience); code != 0 {
			w.Errorf("told to end without the right to %s it ended with %d", right, code)
		}
	}
}

func TestWithoutTheRightsToListAndWatchTheOperatorLearnsNothing(t *testing.T) {
	w := newShard(t)
	i := w.install()
	w.without(i, atStart)
	w.env = []string{unstreamed}
	w.start(i, notWatched)
}

// inElection are the rights without which nobody leads, or nobody is told who does.
var inElection = []withdrawal{
	// First, while there is no Lease yet.
	{right: "create leases.coordination.k8s.io", step: leaderless("create leases.coordination.k8s.io"), repaired: leads},
	{right: "get leases.coordination.k8s.io", step: leaderless("get leases.coordination.k8s.io"), repaired: leads},
	{right: "update leases.coordination.k8s.io", step: leaderless("update leases.coordination.k8s.io"), repaired: leads},
	{right: "create events", step: func(w *world, i *installation) {
		w.campaigns(i)
		w.wasRefused(i, "create events")
		leads(w, i)
	}},
}

// leaderless starts a replica that is refused what an election takes, and sees that it does not lead.
func leaderless(right string) func(*world, *installation) {
	return func(w *world, i *installation) {
		w.Helper()
		w.campaigns(i)
		w.wasRefused(i, right)
		w.Expect(w.holder(i)).To(BeEmpty(), "somebody leads without the right to %s", right)
	}
}

// campaigns starts a replica that wants to lead.
func (w *world) campaigns(i *installation) {
	w.Helper()
	w.launch(i, "--leader-elect")
}

// leads waits until the replica leads, and has it hand over and stop.
func leads(w *world, i *installation) {
	w.Helper()
	w.Eventually(func() string { return w.holder(i) }).ShouldNot(BeEmpty(), "nobody leads: %s", w.logs())
	code, _ := w.operators[len(w.operators)-1].terminate(patience)
	w.Expect(code).To(BeZero(), "exit code")
	w.Expect(w.holder(i)).To(BeEmpty(), "the lease is not released")
}

func TestWithoutTheRightsOfAnElectionNobodyLeads(t *testing.T) {
	w := newShard(t)
	w.without(w.install(), inElection)
}

// inScraping are the rights by which the operator knows who may read its metrics.
var inScraping = []withdrawal{
	{right: "create tokenreviews.authentication.k8s.io", step: scrapesNot("first"), repaired: scrapes("second")},
	{right: "create subjectaccessreviews.authorization.k8s.io", step: scrapesNot("third"), repaired: scrapes("fourth")},
}

// scrapesNot asks for the metrics as somebody who may have them, whom the operator cannot recognise. It is a fresh
// ServiceAccount each time, for answers are remembered.
func scrapesNot(name string) func(*world, *installation) {
	return func(w *world, i *installation) {
		w.Helper()
		code, text := w.scrapedBy(i, name)
		w.Expect(code).NotTo(Equal(http.StatusOK), "metrics are given to whom nobody knows")
		w.Expect(text).NotTo(ContainSubstring("chatt2_"))
	}
}

func scrapes(name string) func(*world, *installation) {
	return func(w *world, i *installation) {
		w.Helper()
		code, _ := w.scrapedBy(i, name)
		w.Expect(code).To(Equal(http.StatusOK), w.logs())
	}
}

func (w *world) scrapedBy(i *installation, name string) (code int, text string) {
	w.Helper()
	token := w.scraper(name)
	w.mayScrape(i, name)
	return w.metricsOf(w.operators[0], token)
}

func TestWithoutTheRightsToReviewNobodyIsGivenMetrics(t *testing.T) {
	w := newShard(t)
	i := w.install()
	w.start(i)
	w.without(i, inScraping)
}
