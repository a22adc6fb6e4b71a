package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

func (s *story) remove(ctx context.Context) error {
	if err := s.keepTexts(ctx); err != nil {
		return err
	}
	err := s.shellWants(ctx, "kubectl -n chat delete c2w "+signedName+" --timeout=60s", "deleted")
	if err != nil {
		s.explain(ctx, "chat")
		return err
	}
	left, err := s.hub.webhooks(ctx, "chat")
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("expected no webhook of the Application chat on the Hub, found %+v", left)
	}
	s.out.check("the Hub has no webhook of the Application chat any more")
	err = s.expect(ctx, "the signing Secret is collected as garbage", func() (string, error) {
		output, err := s.quietly(ctx, "kubectl -n chat get secret "+signedSecret+" --ignore-not-found")
		return strings.TrimSpace(output), err
	})
	if err != nil {
		return err
	}
	s.out.check("its signing Secret is gone")
	return s.keepTexts(ctx)
}

func (s *story) removeNamespace(ctx context.Context) error {
	s.out.say("With webhooks and the API key still in it: the key stays until it is no longer needed.")
	err := s.shellWants(ctx, fmt.Sprintf(`sed -e "s|%s|%s|" %s | kubectl -n chat apply -f -`,
		unsignedOrigin, s.unsignedURL, unsignedSample), "created")
	if err != nil {
		return err
	}
	if err := s.ready(ctx, "chat", unsignedName); err != nil {
		return err
	}
	if err := s.keepTexts(ctx); err != nil {
		return err
	}
	if err := s.shellWants(ctx, "kubectl delete namespace chat --timeout=60s", "deleted"); err != nil {
		s.explain(ctx, "chat")
		return err
	}
	left, err := s.hub.webhooks(ctx, "chat")
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("expected no webhook of the Application chat on the Hub, found %+v", left)
	}
	s.out.check("the namespace is gone, and so is its webhook on the Hub")
	return s.notTouched(ctx)
}

// keepTexts keeps what anybody may read of events and resources now, to look for secrets later.
func (s *story) keepTexts(ctx context.Context) error {
	for _, what := range []string{"events", "events.events.k8s.io", "c2w"} {
		text, err := s.quietly(ctx, "kubectl get -A -o json "+what)
		if err != nil {
			return err
		}
		s.leaks.keep(what, text)
	}
	return nil
}

func (s *story) noLeak(ctx context.Context) error {
	if err := s.keepTexts(ctx); err != nil {
		return err
	}
	logs, err := filepath.Glob(s.folder.log("*"))
	if err != nil {
		return err
	}
	if err := s.leaks.keepFiles(logs...); err != nil {
		return err
	}
	if places := s.leaks.found(); len(places) > 0 {
		return fmt.Errorf("expected no secret anywhere; there is one in: %s", strings.Join(places, ", "))
	}
	s.out.check("none of the %d secrets of this story (API keys, header value, signing secrets) is in %d logs, in\n"+
		"     any event or in any status, be it as it is, in base64 or in hexadecimal", len(s.leaks.secrets), len(logs))
	return nil
}
