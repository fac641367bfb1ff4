import { ADVANCED_AUTH, CONSENT, CONSENT_REQUESTS, consentEdits, mayConsent } from "../document/consent";
import { isObject } from "../document/walk";
import { Connect } from "../test/Connect";
import { Switch } from "../ui/basics";
import { CopyButton } from "../ui/CopyButton";
import { ComponentBody, More } from "./ComponentBody";
import { useForm } from "./context";
import { Faults } from "./Field";
import { Property } from "./Property";

const TITLE = "Consent in a browser";

/** How a user gives access by agreeing at the provider, and the way to try that out. */
export function ConsentForm() {
  const { project, book, readOnly } = useForm();
  const document = project.document.value;
  if (!mayConsent(document)) return null;
  const isOn = isObject(project.node(CONSENT_REQUESTS).value);
  const toggle = async (on: boolean) => {
    // The authenticator as it was typed last is what the consent is made for.
    await project.settled();
    if (on) await project.edit(consentEdits(project.document.value), "Declare a consent");
    else await project.remove(ADVANCED_AUTH, "Remove the consent");
  };
  return (
    <section class="section" aria-label={TITLE}>
      <header class="section-head">
        <h3>{TITLE}</h3>
        <span class="help clip grow">{isOn ? "" : "Users press a button instead of pasting tokens."}</span>
        <Switch checked={isOn} label={TITLE} onChange={toggle} disabled={readOnly} />
      </header>
      {isOn && (
        <div class="section-body">
          <p class="help">
            A platform sends its users by this to the provider, and so does <em>Connect</em>: the tokens become testing
            values.
          </p>
          <RedirectUri />
          <Faults findings={[ADVANCED_AUTH, CONSENT].flatMap((path) => project.findingsAt(path))} />
          <Requests />
          <More path={CONSENT} keys={REST} title="What is needed, and where tokens go">
            {REST.map((key) => (
              <Property
                key={key}
                of={book.definition("OAuthConfigSpecification")?.properties ?? {}}
                name={key}
                path={CONSENT}
              />
            ))}
          </More>
          <Connect project={project} readOnly={readOnly} />
        </div>
      )}
    </section>
  );
}

const REST = [
  "complete_oauth_output_specification",
  "complete_oauth_server_input_specification",
  "complete_oauth_server_output_specification",
  "oauth_user_input_from_connector_config_specification",
];

function Requests() {
  const { project, book } = useForm();
  const schema = book.definition("OAuthConnectorInputSpecification");
  const { value, at } = project.node(CONSENT_REQUESTS);
  if (!schema) return null;
  const layout = "OAuthConnectorInputSpecification";
  return (
    <ComponentBody path={CONSENT_REQUESTS} at={at} schema={schema} value={value} label={TITLE} layout={layout} flat />
  );
}

function RedirectUri() {
  const uri = `${location.origin}/oauth/callback`;
  return (
    <div class="field">
      <span class="label">Redirect URI</span>
      <div class="inherited">
        <code class="grow clip">{uri}</code>
        <CopyButton text={uri} label="Copy the redirect URI" />
      </div>
      <p class="help">Register it at the provider, for tests. A platform has one of its own.</p>
    </div>
  );
}
