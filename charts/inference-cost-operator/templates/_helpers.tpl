{{- define "inference-cost-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "inference-cost-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "inference-cost-operator.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "inference-cost-operator.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "inference-cost-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "inference-cost-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "inference-cost-operator.labels" -}}
{{ include "inference-cost-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "inference-cost-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "inference-cost-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "set `serviceAccount.name`, or `serviceAccount.create` to true" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "inference-cost-operator.warmName" -}}
{{- printf "%s-warm" (include "inference-cost-operator.fullname" . | trunc 58 | trimSuffix "-") }}
{{- end }}

{{/* Of what CapacityBuffers are counted by. */}}
{{- define "inference-cost-operator.bufferName" -}}
{{- printf "%s-buffer" (include "inference-cost-operator.warmName" . | trunc 56 | trimSuffix "-") }}
{{- end }}

{{/* Whether admission policies are written: not empty, or empty. What the cluster serves is not known offline. */}}
{{- define "inference-cost-operator.admissionPolicies" -}}
{{- $served := .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" }}
{{- if or (eq .Values.rbac.admissionPolicies "Always") (and $served (eq .Values.rbac.admissionPolicies "Auto")) -}}
yes
{{- end }}
{{- end }}

{{/* The match condition by which a policy is about nobody but the operator. */}}
{{- define "inference-cost-operator.byTheOperator" -}}
- name: by-the-operator
  expression: >-
    request.userInfo.username ==
    "system:serviceaccount:{{ .Release.Namespace }}:{{ include "inference-cost-operator.serviceAccountName" . }}"
{{- end }}

{{- define "inference-cost-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- define "inference-cost-operator.crdAnnotations" -}}
app.kubernetes.io/part-of: {{ .Chart.Name }}
{{- if .Values.crds.keep }}
helm.sh/resource-policy: keep
{{- end }}
{{- end }}

{{/* The settings file without the global switch, whose change must not restart the operator. */}}
{{- define "inference-cost-operator.settings" -}}
{{- if hasKey (default dict .Values.settings.http) "port" }}
{{- fail "settings.http.port: set httpPort instead, by which the probes go, too" }}
{{- end }}
{{- if hasKey (default dict .Values.settings.lease) "name" }}
{{- fail "settings.lease.name: set fullnameOverride instead, by which the Role goes, too" }}
{{- end }}
{{- $secrets := "/etc/inference-cost-operator/prometheus" }}
{{- $prometheus := dict "url" .Values.prometheus.url "matchers" .Values.prometheus.matchers "namespace_label" .Values.prometheus.namespaceLabel "pod_label" .Values.prometheus.podLabel "headers" .Values.prometheus.headers }}
{{- $keys := dict "bearer_token_file" .Values.prometheus.bearerTokenKey "ca_file" .Values.prometheus.caKey "client_certificate_file" .Values.prometheus.clientCertificateKey "client_key_file" .Values.prometheus.clientKeyKey }}
{{- range $setting, $key := $keys }}
{{- if $key }}
{{- $_ := set $prometheus $setting (printf "%s/%s" $secrets $key) }}
{{- end }}
{{- end }}
{{- $files := dict }}
{{- range $header, $key := .Values.prometheus.headerKeys }}
{{- $_ := set $files $header (printf "%s/%s" $secrets $key) }}
{{- end }}
{{- if $files }}
{{- $_ := set $prometheus "header_files" $files }}
{{- end }}
{{- $more := list }}
{{- range .Values.rbac.scaleTargets }}
{{- if not (and (eq .group "apps") (has .plural (list "deployments" "statefulsets"))) }}
{{- $more = append $more (dict "kind" .kind "group" .group "version" .version "plural" .plural) }}
{{- end }}
{{- end }}
{{- $settings := dict "prometheus" $prometheus "gateway" (dict "preset" .Values.gateway.preset "matchers" .Values.gateway.matchers) "loop" (dict "tick_seconds" .Values.tickSeconds) "log" (dict "level" .Values.logLevel) "http" (dict "port" .Values.httpPort) "lease" (dict "name" (include "inference-cost-operator.fullname" .)) "currency" .Values.currency "scale_in_order" (dict "enabled" .Values.scaleInOrder.enabled) "warm" (dict "enabled" .Values.warm.enabled "image" .Values.warm.image "priority_class" (include "inference-cost-operator.warmName" .) "capacity_buffers" .Values.warm.capacityBuffers "buffer_priority_class" (include "inference-cost-operator.bufferName" .)) }}
{{- if $more }}
{{- $_ := set $settings "cluster" (dict "scale_targets" $more) }}
{{- end }}
{{- toYaml (mergeOverwrite $settings (deepCopy .Values.settings)) }}
{{- end }}
