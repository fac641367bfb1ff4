import { useState } from "preact/hooks";
import { ApiError, messageOf } from "../api/client";
import type { Finding } from "../api/types";
import { notSaved, type OpenProject } from "../state/project";
import { toast } from "../state/toasts";
import { jumpTo } from "../state/view";
import { placed } from "../document/findings";
import { testing } from "../test/store";
import { Button, Dialog, Labelled, Notice, Switch } from "../ui/basics";
import { Sentence } from "../ui/Words";
import { FindingList } from "./FindingList";

/** Makes a version of the draft; errors stand in the way, warnings have to be accepted. */
export function PublishDialog({ project, onClose }: { project: OpenProject; onClose: () => void }) {
  const [description, setDescription] = useState("");
  const [activates, setActivates] = useState(true);
  const [ignores, setIgnores] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const [refused, setRefused] = useState<Finding[] | null>(null);
  const findings = (refused?.map(placed) ?? project.findings.value).filter((finding) => finding.level !== "note");
  const errors = findings.filter((finding) => finding.level === "error");
  const store = testing(project);
  const { streams, dynamic_streams: templates } = project.analysis.value.outline;
  const ungenerated = templates.filter(
    ({ name }) =>
      store.isOutdated(name) || !store.generated.value.some((stream) => stream.dynamic_stream_name === name),
  );
  const untested = streams.filter(({ name }) => [null, "stale"].includes(store.standing(name)));
  const warnings = findings.length - errors.length;
  const next = Math.max(0, ...(project.info.value?.versions ?? []).map((version) => version.version)) + 1;
  const publish = async () => {
    setBusy(true);
    try {
      if (!(await project.save())) throw new Error(notSaved("nothing was published"));
      const { version } = await project.api.publish(project.id, {
        description: description.trim(),
        activate: activates,
        ignore_warnings: ignores,
      });
      await project.refresh();
      toast("success", `Version ${version} was published.`);
      onClose();
    } catch (error) {
      const body = error instanceof ApiError ? (error.body as { findings?: Finding[] } | null) : null;
      if (body?.findings) setRefused(body.findings);
      setFault(messageOf(error));
      setBusy(false);
    }
  };
  const jump = (finding: Finding) => {
    onClose();
    jumpTo(finding.path);
  };
  return (
    <Dialog
      title={`Publish version ${next}`}
      onClose={onClose}
      onSubmit={() => void publish()}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={isBusy} disabled={errors.length > 0 || (warnings > 0 && !ignores)}>
            Publish
          </Button>
        </>
      }
    >
      {fault && (
        <Notice kind="error">
          <Sentence text={fault} />
        </Notice>
      )}
      {errors.length > 0 && (
        <Notice kind="error">
          {errors.length === 1 ? "One error stands" : `${errors.length} errors stand`} in the way. Choose one to go to
          its place.
        </Notice>
      )}
      {findings.length > 0 && <FindingList findings={findings} onChoose={jump} />}
      {!errors.length && untested.length > 0 && (
        <Notice kind="warning">
          {untested.length === streams.length
            ? "No stream has"
            : `${untested
                .map((stream) => stream.name)
                .slice(0, 4)
                .join(", ")}${untested.length > 4 ? "…" : ""} ${untested.length === 1 ? "has" : "have"}`}{" "}
          not been tested as {untested.length === 1 ? "it is" : "they are"} now.
        </Notice>
      )}
      {!errors.length && ungenerated.length > 0 && (
        <Notice kind="warning">
          No streams have been generated from {ungenerated.map(({ name }) => `“${name}”`).join(", ")} as{" "}
          {ungenerated.length === 1 ? "it is" : "they are"} now.
        </Notice>
      )}
      <Labelled label="What is new">
        {(id) => (
          <textarea
            id={id}
            class="input"
            rows={3}
            autofocus
            value={description}
            placeholder="First version"
            onInput={(event) => setDescription(event.currentTarget.value)}
          />
        )}
      </Labelled>
      <label class="flag">
        <Switch label="Use this version" checked={activates} onChange={setActivates} />
        <span>
          Use this version<span class="help"> it becomes the active one</span>
        </span>
      </label>
      {!errors.length && warnings > 0 && (
        <label class="flag">
          <Switch label="Ignore warnings" checked={ignores} onChange={setIgnores} />
          <span>Publish in spite of {warnings === 1 ? "one warning" : `${warnings} warnings`}</span>
        </label>
      )}
      <p class="help">Testing values and secrets are not part of what is published.</p>
    </Dialog>
  );
}
