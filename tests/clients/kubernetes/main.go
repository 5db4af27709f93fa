// Reads Kubernetes manifests as the API server does in its strict mode: each must be of a kind and version of Kubernetes, and
// every field known, once, and of its type. Writes one line of JSON for each: its kind and name, or what is wrong with it.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func main() {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{apps.AddToScheme, core.AddToScheme, policy.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	tell := json.NewEncoder(os.Stdout)
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		line := map[string]string{}
		if object, kind, err := decoder.Decode(document, nil, nil); err != nil {
			line["wrong"] = err.Error()
		} else if named, err := meta.Accessor(object); err != nil {
			line["wrong"] = err.Error()
		} else {
			line["kind"], line["name"] = kind.Kind, named.GetName()
		}
		if err := tell.Encode(line); err != nil {
			panic(err)
		}
	}
}
