package contract

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/google/uuid"

	"github.com/chatt2me/webhook-operator/internal/hub"
)

// loadRouter reads the document once: it is the same for all tests, and only read afterwards.
var loadRouter = sync.OnceValues(func() (routers.Router, error) {
	document, err := openapi3.NewLoader().LoadFromData(hub.OpenAPI)
	if err != nil {
		return nil, fmt.Errorf("load openapi.yaml: %w", err)
	}
	document.Servers = openapi3.Servers{{URL: "/"}}
	for _, path := range document.Paths.Map() {
		for _, operation := range path.Operations() {
			closeRequest(operation)
		}
	}
	return legacy.NewRouter(document)
})

// closeRequest makes a request property that the schema does not name an error. Answers stay open: the Hub may add
// to them.
func closeRequest(operation *openapi3.Operation) {
	if operation.RequestBody == nil {
		return
	}
	for _, media := range operation.RequestBody.Value.Content {
		closeSchema(media.Schema)
	}
}

func closeSchema(ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil {
		return
	}
	if ref.Value.Type.Is("object") {
		no := false
		ref.Value.AdditionalProperties.Has = &no
	}
	for _, property := range ref.Value.Properties {
		closeSchema(property)
	}
	closeSchema(ref.Value.Items)
}

// options are made for each message, for the validator may write to them.
func options() *openapi3filter.Options {
	return &openapi3filter.Options{
		MultiError:                        true,
		IncludeResponseStatus:             true,
		RejectWhenRequestBodyNotSpecified: true,
		SkipSettingDefaults:               true,
		// Whether the key is there is looked at with the answer at hand: a 401 may be for the lack of it.
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		SchemaValidationOptions: []openapi3.SchemaValidationOption{
			// The details repeat the value, which may be a secret.
			openapi3.DisableSchemaErrorDetails(),
			openapi3.WithStringFormatValidator("uuid", openapi3.NewCallbackValidator(uuid.Validate)),
			openapi3.WithStringFormatValidator("uri", openapi3.NewCallbackValidator(validateURI)),
		},
	}
}

func validateURI(text string) error {
	uri, err := url.Parse(text)
	if err != nil || !uri.IsAbs() || uri.Host == "" {
		return errors.New("not an absolute URI with a host")
	}
	return nil
}

// unknownQuery names the query parameters that the operation does not have.
func unknownQuery(route *routers.Route, query url.Values) []string {
	known := slices.Concat(route.PathItem.Parameters, route.Operation.Parameters)
	var unknown []string
	for name := range query {
		if known.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
