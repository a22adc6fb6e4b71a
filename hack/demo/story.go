package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// steps is the story.
var steps = []step{
	{"The operator is installed", (*story).install},
	{"A team gets a namespace and stores the API key of its Application", (*story).storeKey},
	{"The team applies a manifest", (*story).applySigned},
	{"The signing secret is in a Secret, and the endpoint mounts it", (*story).lookAtSecret},
	{"An event arrives, signed", (*story).sendEvent},
	{"The signing secret is exchanged on request, and deliveries go on", (*story).rotate},
	{"Another team has another Application", (*story).secondTeam},
	{"Somebody changes the webhook on the Hub, and it is put right", (*story).drift},
	{"The other team's webhook was not touched", (*story).notTouched},
	{"A mistake is refused when it is applied", (*story).mistake},
	{"The team deletes the resource, and the Hub is empty", (*story).remove},
	{"A namespace goes with everything in it", (*story).removeNamespace},
	{"No secret has leaked", (*story).noLeak},
}

func (s *story) install(ctx context.Context) error {
	s.out.say("`make deploy` applies config/default: the definition of Chatt2Webhook, roles and a Deployment.\n" +
		"There are no nodes here to run a Pod on, so the same program is run as a process, with the rights of\n" +
		"the Deployment's ServiceAccount and with --hub-url, --hub-ca-file and --hub-poll-interval=5s.")
	const definition = "chatt2webhooks.hub.chatt2.me"
	if err := s.shellWants(ctx, "kubectl apply --server-side -k config/default", definition); err != nil {
		return err
	}
	err := s.shellWants(ctx, "kubectl wait --for=condition=Established --timeout=30s crd/"+definition)
	if err != nil {
		return err
	}
	if err := s.startOperator(); err != nil {
		return err
	}
	err = s.expect(ctx, "the operator is at work", func() (string, error) {
		log, err := os.ReadFile(s.folder.log("operator"))
		if err != nil || strings.Contains(string(log), "Starting workers") {
			return "", err
		}
		return "it is not", nil
	})
	if err != nil {
		return err
	}
	s.out.check("the operator is at work")
	// The first write after a definition has changed may take the API server two seconds. They are not the operator's,
	// and are not to be counted as such.
	_, err = s.quietly(ctx, "kubectl -n default apply --dry-run=server -f "+unsignedSample)
	return err
}

func (s *story) storeKey(ctx context.Context) error {
	if err := s.shellWants(ctx, "kubectl create namespace chat"); err != nil {
		return err
	}
	s.out.say("The key is read from a file, so that it is neither shown nor kept in the shell's history.")
	return s.shellWants(ctx,
		"kubectl -n chat create secret generic chatt2-api-key --from-file=apiKey=bin/demo/keys/chat", "created")
}

func (s *story) applySigned(ctx context.Context) error {
	s.out.say("It is %s, with two things put in by sed: the address of the\n"+
		"endpoint that runs here, and the token that this endpoint wants as a header.", signedSample)
	during := span{from: time.Now()}
	err := s.shellWants(ctx, fmt.Sprintf(
		`sed -e "s|%s|%s|" -e "s|%s|$(cat bin/demo/keys/endpoint-token)|" %s | kubectl -n chat apply -f -`,
		signedOrigin, s.signedURL, headerInSample, signedSample), "message-status created")
	if err != nil {
		return err
	}
	s.out.say("The operator registers the webhook. The Hub sends a token to the endpoint and wants it back: that is\n" +
		"how an endpoint is verified. The signing secret is shown once, and stored.")
	if _, err := s.shell(ctx, "kubectl -n chat get c2w"); err != nil {
		return err
	}
	if err := s.ready(ctx, "chat", signedName); err != nil {
		return err
	}
	during.to = time.Now()
	if err := s.shellWants(ctx, "kubectl -n chat get c2w", "True"); err != nil {
		return err
	}
	w, err := s.onlyWebhook(ctx, "chat")
	if err != nil {
		return err
	}
	if !w.IsVerified || !strings.HasPrefix(w.Endpoint, s.signedURL) {
		return fmt.Errorf("expected one verified webhook for %s on the Hub, found %+v", s.signedURL, w)
	}
	s.webhookID = w.ID
	s.out.check("the Hub has one webhook of the Application chat, and it is verified")
	return s.measure(ctx, "the signed webhook", "chat", during)
}

// ready waits until a resource is Ready, and shows why when it is not.
func (s *story) ready(ctx context.Context, namespace, name string) error {
	return s.await(ctx, namespace, name, "condition=Ready")
}

// await waits with kubectl until something holds of a resource.
func (s *story) await(ctx context.Context, namespace, name, what string) error {
	line := fmt.Sprintf("kubectl -n %s wait --for=%s c2w/%s --timeout=60s", namespace, what, name)
	err := s.shellWants(ctx, line, "condition met")
	if err != nil {
		s.explain(ctx, namespace)
	}
	return err
}

// measure notes what it took to make a webhook Ready.
func (s *story) measure(ctx context.Context, what, namespace string, during span) error {
	requests, err := s.hub.requests(ctx, namespace)
	if err != nil {
		return err
	}
	var calls []string
	for _, r := range requests {
		if during.holds(r.ReceivedAt) {
			calls = append(calls, r.Operation)
		}
	}
	objects, events, err := s.auditedWrites(namespace, during)
	if err != nil {
		return err
	}
	s.figures = append(s.figures, fmt.Sprintf("%s: %.1f s from `kubectl apply` to Ready; %d calls to the Hub (%s);\n"+
		"  %d writes to Kubernetes (%s) and %d events", what, during.to.Sub(during.from).Seconds(),
		len(calls), count(calls), len(objects), count(objects), events))
	return nil
}

// onlyWebhook is the one webhook that an Application must have.
func (s *story) onlyWebhook(ctx context.Context, application string) (registered, error) {
	all, err := s.hub.webhooks(ctx, application)
	if err != nil {
		return registered{}, err
	}
	if len(all) != 1 {
		return registered{}, fmt.Errorf("expected one webhook of the Application %s on the Hub, found %d",
			application, len(all))
	}
	return all[0], nil
}

// explain shows why a resource is not what was expected.
func (s *story) explain(ctx context.Context, namespace string) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return // somebody pressed Ctrl-C, and knows why
	}
	// The step's own time may be over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for _, line := range []string{"get c2w -o wide", "get events"} {
		// A failure shows in the output.
		_, _ = s.shell(ctx, "kubectl -n "+namespace+" "+line)
	}
}

// sumUp says what it took, and how to go on.
func (s *story) sumUp(took time.Duration, exit bool) {
	s.out.line("\n" + s.out.paint(bold, "That was the story."))
	for _, figure := range s.figures {
		s.out.say("- %s", figure)
	}
	s.out.say("- the demo took %.0f s", took.Seconds())
	if exit {
		return
	}
	s.out.line("\n" + s.out.paint(bold, "Everything is left running. To play on, in this folder:"))
	s.out.command("export KUBECONFIG=$PWD/bin/demo/kubeconfig PATH=$PWD/bin/k8s:$PATH")
	s.out.command("kubectl -n shop get c2w -o wide --watch")
	s.out.say("Revoke the API key of shop, see what the operator says of it, and give the key back.")
	s.out.command("curl -X DELETE " + s.adminURL + "/_sim/applications/shop/keys/default")
	s.out.command(`curl -X PUT ` + s.adminURL + `/_sim/applications/shop/keys/default ` +
		`-d "{\"apiKey\": \"$(cat bin/demo/keys/shop)\"}"`)
	s.out.say("Send events, and read what the endpoint says of them.")
	s.out.command(`curl -X POST ` + s.adminURL + `/_sim/events ` +
		`-d '{"application": "shop", "event": {"eventType": "Message", "messageId": "hello"}}'`)
	s.out.command("tail bin/demo/log/receiver-shop.log bin/demo/log/operator.log")
	s.out.say("End it all:")
	s.out.command("make demo-down")
}
