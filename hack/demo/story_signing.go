package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/chatt2me/webhook-operator/api/v1alpha1"
)

// signing is the signing Secret as it is now. What is in it must not be found elsewhere.
func (s *story) signing(ctx context.Context) (current, previous string, err error) {
	var secret corev1.Secret
	if err := s.kube.Get(ctx, client.ObjectKey{Namespace: "chat", Name: signedSecret}, &secret); err != nil {
		return "", "", err
	}
	current = string(secret.Data[v1alpha1.SecretKeyCurrent])
	previous = string(secret.Data[v1alpha1.SecretKeyPrevious])
	s.leaks.know(current)
	s.leaks.know(previous)
	return current, previous, nil
}

func (s *story) lookAtSecret(ctx context.Context) error {
	s.out.say("kubectl describe shows how long a value is and not what it is.")
	err := s.shellWants(ctx, "kubectl -n chat describe secret "+signedSecret, v1alpha1.AnnotationWebhookID, s.webhookID)
	if err != nil {
		return err
	}
	current, previous, err := s.signing(ctx)
	if err != nil {
		return err
	}
	if current == "" || previous != "" {
		return errors.New("expected a secret and no previousSecret in the Secret")
	}
	s.firstSecret = current
	s.out.say("In a cluster the endpoint's Pod mounts the Secret as a volume. Here a small process copies it to\n" +
		"bin/demo/volume as the kubelet would: all files at one instant, through the link ..data.")
	if err := s.mounted(ctx, current); err != nil {
		return err
	}
	return s.shellWants(ctx, "ls -a bin/demo/volume", "..data", v1alpha1.SecretKeyCurrent)
}

// mounted waits until the endpoint sees a secret.
func (s *story) mounted(ctx context.Context, secret string) error {
	return s.expect(ctx, "the endpoint's folder holds the secret", func() (string, error) {
		content, err := os.ReadFile(s.folder.path("volume", v1alpha1.SecretKeyCurrent))
		if err != nil || string(content) == secret {
			return "", err
		}
		return "another secret", nil
	})
}

func (s *story) sendEvent(ctx context.Context) error {
	s.out.say("Something happens on the Hub. kubectl has no command for that: the admin API of the Hub in memory is\n" +
		"asked for it.")
	return s.delivered(ctx, "demo-1")
}

// delivered has an event delivered and sees the endpoint accept it.
func (s *story) delivered(ctx context.Context, messageID string) error {
	event := fmt.Sprintf(`{"eventType": "MessageStatus", "messageId": %q, "status": "delivered"}`, messageID)
	deliveries, err := s.hub.send(ctx, "chat", event)
	if err != nil {
		return err
	}
	if len(deliveries) != 1 || deliveries[0].StatusCode != http.StatusOK {
		return fmt.Errorf("expected one delivery that the endpoint answers with 200, found %+v", deliveries)
	}
	return s.receiverSays(ctx, messageID, `"result":"accepted"`)
}

// receiverSays shows the endpoint's line about an event, and checks it.
func (s *story) receiverSays(ctx context.Context, messageID string, wanted ...string) error {
	s.out.say("The endpoint checked the signature and wrote one line:")
	line := "grep " + messageID + " bin/demo/log/receiver-chat.log"
	return s.shellWants(ctx, line, append(wanted, messageID)...)
}

func (s *story) rotate(ctx context.Context) error {
	request := strconv.FormatInt(time.Now().Unix(), 10)
	s.out.say("Rotation can also be scheduled, as it is in this sample: every 720h.")
	err := s.shellWants(ctx, "kubectl -n chat annotate c2w "+signedName+" --overwrite "+
		v1alpha1.AnnotationRotateRequestedAt+"="+request)
	if err != nil {
		return err
	}
	if err := s.await(ctx, "chat", signedName, "jsonpath='{.status.lastHandledRotateAt}'="+request); err != nil {
		return err
	}
	if err := s.ready(ctx, "chat", signedName); err != nil {
		return err
	}
	current, previous, err := s.signing(ctx)
	if err != nil {
		return err
	}
	if current == s.firstSecret || previous != s.firstSecret {
		return errors.New("expected a new secret in the Secret, and the old one as previousSecret")
	}
	err = s.shellWants(ctx, "kubectl -n chat describe secret "+signedSecret, v1alpha1.SecretKeyPrevious)
	if err != nil {
		return err
	}
	if err := s.mounted(ctx, current); err != nil {
		return err
	}
	if err := s.delivered(ctx, "demo-2"); err != nil {
		return err
	}
	s.out.check("the Hub signed this one with the new secret")
	return s.overlap(ctx)
}

// overlap shows what the previous secret is for, by deliveries that the demo makes itself.
func (s *story) overlap(ctx context.Context) error {
	s.out.say("An event that was signed with the old secret and arrives only now is accepted too, until the overlap\n" +
		"of 10m is over. The demo plays the Hub for a moment and sends one, and one that a stranger signed.")
	for _, d := range []struct {
		secret, messageID string
		want              int
	}{
		{s.firstSecret, "demo-3-signed-before", http.StatusOK},
		{"a stranger's", "demo-4-forged", http.StatusUnauthorized},
	} {
		status, err := s.deliver(ctx, d.secret, d.messageID)
		if err != nil {
			return err
		}
		if status != d.want {
			return fmt.Errorf("expected the endpoint to answer %d to %s, it answered %d", d.want, d.messageID, status)
		}
		// The endpoint reads nothing of what it refuses, so that line names no event.
		line, result := d.messageID, "accepted"
		if status != http.StatusOK {
			line, result = "SignatureMismatch", "result"
		}
		if err := s.receiverSays(ctx, line, result); err != nil {
			return err
		}
	}
	s.out.check("the current and the previous secret are accepted, any other is refused")
	return nil
}
