package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator"
	"github.com/chatt2me/webhook-operator/internal/hub/simulator/simulatortest"
)

// life is all that can become of a webhook. Its steps end with an error where the operator is refused something, so
// that a test may expect one.
type life struct {
	*site
	operator *operator
	// flags are those that the chart starts it with.
	flags []string
	hub   *simulatortest.Hub
	app   simulator.Application
	// in is the namespace of the webhook.
	in      string
	webhook *v1alpha1.Chatt2Webhook
	// unwatched: changes of Secrets are noticed late.
	unwatched bool
	// scraper is the token of somebody who may get the metrics, empty if nobody may.
	scraper string
	// patience is how long a step may take.
	patience time.Duration
}

// live goes through all of it.
func (l *life) live() error {
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"be ready", l.beReady},
		{"register", l.register},
		{"follow sources", l.followSources},
		{"rotate", l.rotate},
		{"scrape", l.scrape},
		{"give up signing", l.giveUpSigning},
		{"delete", l.remove},
		{"stay ready", l.beReady},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return l.refused()
}

// refused tells that the API server has refused the operator something.
func (l *life) refused() error {
	log := l.operator.log.String()
	if at := strings.Index(log, "forbidden"); at >= 0 {
		return fmt.Errorf("the operator lacks a right: %.600s", log[max(at-400, 0):])
	}
	return nil
}

// until waits for something to come about.
func (l *life) until(what string, done func() (bool, error)) error {
	timeout := time.NewTimer(l.patience)
	defer timeout.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := l.refused(); err != nil {
			return err
		}
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-timeout.C:
			return fmt.Errorf("not within %s: %s", l.patience, what)
		case <-tick.C:
		}
	}
}

// secret makes a Secret in the namespace of the webhook.
func (l *life) secret(name, key, value string) error {
	meta := metav1.ObjectMeta{Namespace: l.in, Name: name}
	return l.Create(l.Context(), &corev1.Secret{ObjectMeta: meta, StringData: map[string]string{key: value}})
}

// change changes the webhook as a user does.
func (l *life) change(do func(*v1alpha1.Chatt2Webhook)) error {
	before := l.webhook.DeepCopy()
	do(l.webhook)
	return l.Patch(l.Context(), l.webhook, client.MergeFrom(before))
}

// impatient trusts everybody, for the operator makes its own certificate for metrics.
var impatient = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
	TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
}}

// get gives the status code of a GET with a token, 0 while nobody listens.
func (l *life) get(url, token string) (int, error) {
	request, err := http.NewRequestWithContext(l.Context(), http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := impatient.Do(request)
	if err != nil {
		return 0, l.Context().Err()
	}
	return answer.StatusCode, answer.Body.Close()
}

// gone makes an answer of an error.
func gone(err error) (bool, error) { return apierrors.IsNotFound(err), client.IgnoreNotFound(err) }
