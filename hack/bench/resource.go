package main

// resource is what the bench wants to know of a Chatt2Webhook: little, for it reads every version of thousands.
type resource struct {
	Metadata struct {
		Name            string `json:"name"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Status struct {
		WebhookID           string `json:"webhookID"`
		LastHandledRotateAt string `json:"lastHandledRotateAt"`
		Conditions          []struct {
			Type   string `json:"type"`
			Status string `json:"status"`
			Reason string `json:"reason"`
		} `json:"conditions"`
	} `json:"status"`
}

func (r *resource) isReady() bool { return r.ready() == "True" }

// ready is the status of the condition Ready.
func (r *resource) ready() string {
	for _, c := range r.Status.Conditions {
		if c.Type == "Ready" {
			return c.Status
		}
	}
	return ""
}
