import type { Edit, Json, JsonObject, Path } from "../api/types";
import { isObject, stringsOf } from "./walk";

/** How a user gives access in a browser, by the platform or by this Builder. */
export const ADVANCED_AUTH: Path = ["spec", "advanced_auth"];
export const CONSENT: Path = [...ADVANCED_AUTH, "oauth_config_specification"];
export const CONSENT_REQUESTS: Path = [...CONSENT, "oauth_connector_input_specification"];

const PARAMETERS = "{{ client_id_param }}&{{ redirect_uri_param }}";

/** All OAuth authenticators of a manifest, at any depth. */
export function oauthAuthenticators(value: Json | undefined): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(oauthAuthenticators);
  if (!isObject(value)) return [];
  const inner = Object.values(value).flatMap(oauthAuthenticators);
  return value.type === "OAuthAuthenticator" ? [value, ...inner] : inner;
}

/** The place in the config that a template reads: `{{ config['a']['b'] }}` is `a`, `b`. */
export function configPathOf(template: Json | undefined): string[] | null {
  const found = typeof template === "string" && /^\{\{\s*config((?:\[['"][^'"]+['"]\])+)\s*\}\}$/.exec(template.trim());
  return found ? [...(found[1] ?? "").matchAll(/\[['"]([^'"]+)['"]\]/g)].map((match) => match[1] ?? "") : null;
}

/** Declares a consent for the manifest's OAuth authenticator: its values in the config are what it needs and fills. */
export function consentEdits(document: Json): Edit[] {
  const authenticator = oauthAuthenticators(document)[0] ?? {};
  const endpoint = authenticator.token_refresh_endpoint;
  const token = typeof endpoint === "string" && /^https?:[^{}]+$/.test(endpoint) ? endpoint : "https://";
  const keys: [string, string[]][] = ["client_id", "client_secret"].map((name) => [
    name,
    configPathOf(authenticator[name]) ?? [name],
  ]);
  const tokens = [
    ["refresh_token", "refresh_token"],
    ["access_token", "access_token_value"],
  ].flatMap(([name = "", field = ""]): [string, string[]][] => {
    const path = configPathOf(authenticator[field]);
    return path ? [[name, path]] : [];
  });
  const placed = (pairs: [string, string[]][], more: (name: string) => JsonObject = () => ({})): JsonObject => ({
    required: pairs.map(([name]) => name),
    properties: Object.fromEntries(
      pairs.map(([name, path]) => [name, { type: "string", path_in_connector_config: path, ...more(name) }]),
    ),
  });
  const filled: [string, string[]][] = tokens.length ? tokens : [["refresh_token", ["refresh_token"]]];
  const value: JsonObject = {
    auth_flow_type: "oauth2.0",
    oauth_config_specification: {
      oauth_connector_input_specification: {
        consent_url: `https://?response_type=code&${PARAMETERS}&{{ scope_param }}&{{ state_param }}`,
        access_token_url: `${token}?grant_type=authorization_code&{{ auth_code_param }}&${PARAMETERS}&{{ client_secret_param }}`,
        scope: "",
      },
      complete_oauth_output_specification: placed(filled, (name) => ({ path_in_oauth_response: [name] })),
      complete_oauth_server_input_specification: {
        required: keys.map(([name]) => name),
        properties: Object.fromEntries(keys.map(([name]) => [name, { type: "string" }])),
      },
      complete_oauth_server_output_specification: placed(keys),
    },
  };
  return [{ op: "set", path: ADVANCED_AUTH, value }];
}

/** Whether a manifest declares a consent, or has an authenticator that one would be for. */
export const mayConsent = (document: Json): boolean =>
  oauthAuthenticators(document).length > 0 ||
  [...stringsOf(isObject(document) && isObject(document.spec) ? document.spec.advanced_auth : undefined)].length > 0;
