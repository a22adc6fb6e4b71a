// Package hub is the Hub Chatt2.me over HTTP: its webhooks, their signing secrets and their delivery logs, as
// openapi.yaml beside it says. It knows nothing of Kubernetes.
//
// A call that changes something ends as applied, not applied or unknown; see Outcome. The client retries nothing:
// only the caller knows what may be repeated.
package hub
