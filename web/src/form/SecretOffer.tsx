import type { Path } from "../api/types";
import { looksLikeSecret } from "../document/secrets";
import { extractInputEdits } from "../document/starters";
import { slugOf, titleOfKey } from "../document/words";
import { testing } from "../test/store";
import { Icon } from "../ui/Icon";
import { useForm } from "./context";

/** Warns of a key that is written into the manifest, and moves it into a user input. */
export function SecretOffer({ path, name, text }: { path: Path; name: string; text: string }) {
  const { project, readOnly } = useForm();
  if (readOnly || !looksLikeSecret(name, text)) return null;
  const extract = async () => {
    const { edits, key } = extractInputEdits(project.document.value, path, slugOf(name) || "secret", titleOfKey(name));
    if (!(await project.edit(edits, "Make it a user input"))) return;
    // Only by the saved draft does the server know that the value is secret.
    await project.save();
    await testing(project).addValue(key, text);
  };
  return (
    <p class="fault warning" role="alert">
      <Icon name="key" size={13} />
      <span>
        This looks like a key. Whoever gets the manifest can read it.{" "}
        <button type="button" class="link" onClick={() => void extract()}>
          Make it a user input
        </button>
      </span>
    </p>
  );
}
