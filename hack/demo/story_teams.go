package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// witness is what a webhook that nobody touches keeps.
type witness struct {
	webhook registered
	version string
	changes int
}

func (s *story) secondTeam(ctx context.Context) error {
	if err := s.shellWants(ctx, "kubectl create namespace shop"); err != nil {
		return err
	}
	err := s.shellWants(ctx,
		"kubectl -n shop create secret generic chatt2-api-key --from-file=apiKey=bin/demo/keys/shop", "created")
	if err != nil {
		return err
	}
	s.out.say("This team takes the shortest manifest, without signing.")
	during := span{from: time.Now()}
	err = s.shellWants(ctx, fmt.Sprintf(`sed "s|%s|%s|" %s | kubectl -n shop apply -f -`,
		unsignedOrigin, s.unsignedURL, unsignedSample), "created")
	if err != nil {
		return err
	}
	if err := s.ready(ctx, "shop", unsignedName); err != nil {
		return err
	}
	during.to = time.Now()
	if err := s.shellWants(ctx, "kubectl get c2w -A", "chat", "shop"); err != nil {
		return err
	}
	if err := s.measure(ctx, "the unsigned webhook", "shop", during); err != nil {
		return err
	}
	s.untouched, err = s.witness(ctx)
	return err
}

// witness looks at the second team's webhook from both sides.
func (s *story) witness(ctx context.Context) (witness, error) {
	var object v1alpha1.Chatt2Webhook
	if err := s.kube.Get(ctx, client.ObjectKey{Namespace: "shop", Name: unsignedName}, &object); err != nil {
		return witness{}, err
	}
	webhook, err := s.onlyWebhook(ctx, "shop")
	if err != nil {
		return witness{}, err
	}
	requests, err := s.hub.requests(ctx, "shop")
	if err != nil {
		return witness{}, err
	}
	seen := witness{webhook: webhook, version: object.ResourceVersion}
	for _, r := range requests {
		if r.Committed {
			seen.changes++
		}
	}
	return seen, nil
}

func (s *story) drift(ctx context.Context) error {
	s.out.say("A colleague points it elsewhere in the dashboard. The operator looks every 5 s here, and\n" +
		"every minute otherwise.")
	elsewhere := fmt.Sprintf(`{"endpoint": %q}`, s.signedURL+"/elsewhere")
	if err := s.hub.change(ctx, s.webhookID, elsewhere); err != nil {
		return err
	}
	changed, err := s.onlyWebhook(ctx, "chat")
	if err != nil {
		return err
	}
	s.out.show("the Hub now has the endpoint " + changed.Endpoint)
	err = s.expect(ctx, "the Hub has the endpoint of spec again, verified", func() (string, error) {
		w, err := s.onlyWebhook(ctx, "chat")
		if err != nil || strings.HasPrefix(w.Endpoint, s.signedURL+signedPath) && w.IsVerified && w.ID == s.webhookID {
			return "", err
		}
		return fmt.Sprintf("%s, verified: %t", w.Endpoint, w.IsVerified), nil
	})
	if err != nil {
		s.explain(ctx, "chat")
		return err
	}
	s.out.check("the Hub has the endpoint of spec again, and has verified it")
	err = s.expect(ctx, "an event DriftCorrected", func() (string, error) {
		events, err := s.quietly(ctx, "kubectl -n chat get events")
		if err != nil || strings.Contains(events, v1alpha1.EventDriftCorrected) {
			return "", err
		}
		return events, nil
	})
	if err != nil {
		return err
	}
	if err := s.ready(ctx, "chat", signedName); err != nil {
		return err
	}
	return s.shellWants(ctx, "kubectl -n chat events --for c2w/"+signedName, v1alpha1.EventRegistered,
		v1alpha1.EventSecretRotated, v1alpha1.EventDriftCorrected)
}

func (s *story) notTouched(ctx context.Context) error {
	now, err := s.witness(ctx)
	if err != nil {
		return err
	}
	if now != s.untouched {
		return fmt.Errorf("expected the webhook of shop to be as it was, %+v; it is %+v", s.untouched, now)
	}
	if _, err := s.shell(ctx, "kubectl -n shop get c2w -o wide"); err != nil {
		return err
	}
	s.out.check("since it was ready the Hub took no change with the key of shop, and the resource was not written")
	return nil
}

func (s *story) mistake(ctx context.Context) error {
	s.out.say("The API server itself refuses it, with what to write instead; so does `kubectl apply --dry-run=server`.")
	output, err := s.shell(ctx, fmt.Sprintf(
		`sed -e "s|https://|http://|" -e "s|%s|plain|" %s | kubectl -n shop apply -f -`, unsignedName, unsignedSample))
	if err == nil {
		return errors.New("expected an http endpoint to be refused")
	}
	const reason = "must be an absolute URL with the scheme https"
	if !strings.Contains(output, reason) {
		return fmt.Errorf("expected the refusal to say %q", reason)
	}
	return nil
}
