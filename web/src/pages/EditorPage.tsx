import { effect } from "@preact/signals";
import { Suspense, lazy } from "preact/compat";
import { useEffect, useMemo, useState } from "preact/hooks";
import * as api from "../api/calls";
import { messageOf } from "../api/client";
import { SchemaBook, type SchemaRoot } from "../document/schema";
import { AdvancedForm } from "../form/AdvancedForm";
import { ApiForm } from "../form/ApiForm";
import { Form } from "../form/context";
import { InputsForm } from "../form/InputsForm";
import { StreamForm } from "../form/StreamForm";
import { GeneratedForm, TemplateForm } from "../form/TemplateForm";
import { OpenProject } from "../state/project";
import { projectsPath } from "../state/router";
import { store, stored } from "../state/stored";
import { mode, section, type Section } from "../state/view";
import { testing } from "../test/store";
import { TestPane } from "../test/TestPane";
import { Button, Empty, Notice } from "../ui/basics";
import { Split } from "../ui/Split";
import { Link } from "./App";
import { EditorHeader } from "./EditorHeader";
import { useHotKeys } from "./hotkeys";
import { Navigation } from "./Navigation";
import { LeaveDialog, ReadOnlyBar } from "./ReadOnly";
import { StreamHead } from "./StreamHead";

const YamlEditor = lazy(() => import("../editor/YamlEditor"));
let book: SchemaBook | null = null;

/** The schema of manifests, which says what the forms show: one is enough. Gives why it could not be got. */
async function loadSchema(): Promise<string | null> {
  try {
    book ??= new SchemaBook((await api.manifestSchema()) as unknown as SchemaRoot);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** One connector: its parts at the left, the chosen one in the middle, its test at the right. */
export function EditorPage({ workspace, id }: { workspace: string; id: string }) {
  const [attempt, setAttempt] = useState(1);
  const project = useMemo(() => new OpenProject(workspace, id), [workspace, id, attempt]);
  const [isReady, setReady] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  useHotKeys(project);
  useEffect(() => {
    const place = `section:${workspace}/${id}`;
    section.value = stored<Section>(place, { kind: "api" });
    return effect(() => store(place, section.value));
  }, [project]);
  useEffect(() => {
    const open = async () => {
      const schema = loadSchema();
      await project.open();
      setFault(await schema);
      setReady(!project.failure.value);
      // What fails here is asked for again when the values are opened.
      await testing(project).loadValues().catch(() => {});
    };
    void open();
    const warn = (event: BeforeUnloadEvent) => {
      project.flushEditor();
      if (!project.saver.isSettled) {
        project.saver.keep();
        void project.saver.flush();
        event.preventDefault();
      }
    };
    const look = () => void project.lookForNewer();
    addEventListener("beforeunload", warn);
    addEventListener("focus", look);
    return () => {
      removeEventListener("beforeunload", warn);
      removeEventListener("focus", look);
      testing(project).dispose();
      project.dispose();
    };
  }, [project]);
  const name = project.info.value?.name;
  useEffect(() => {
    document.title = name ? `${name} · Connector Builder` : "Connector Builder";
  }, [name]);
  if (project.failure.value) {
    return (
      <Empty
        icon="alert"
        title="The connector cannot be opened"
        actions={
          <>
            <Button onClick={() => setAttempt(attempt + 1)}>Try again</Button>
            <Link class="button" to={projectsPath(workspace)}>
              Back to the list
            </Link>
          </>
        }
      >
        {project.failure.value}
      </Empty>
    );
  }
  if (isReady && !book && fault !== null)
    return (
      <Empty
        icon="alert"
        title="The editor cannot be shown"
        actions={<Button onClick={() => void loadSchema().then(setFault)}>Try again</Button>}
      >
        {fault}
      </Empty>
    );
  if (!isReady || !book)
    return (
      <div class="empty">
        <span class="spinner" />
      </div>
    );
  return (
    <Form.Provider value={{ project, book, readOnly: project.isReadOnly.value }}>
      <div class="editor">
        <EditorHeader project={project} />
        <ReadOnlyBar project={project} />
        <LeaveDialog project={project} />
        <Split
          left={
            <div class="work">
              <Navigation project={project} />
              <Middle project={project} />
            </div>
          }
          right={<TestPane project={project} />}
        />
      </div>
    </Form.Provider>
  );
}

function Middle({ project }: { project: OpenProject }) {
  const shown = section.value;
  if (mode.value === "yaml") {
    return (
      <Suspense
        fallback={
          <div class="empty">
            <span class="spinner" />
          </div>
        }
      >
        <YamlEditor project={project} />
      </Suspense>
    );
  }
  const { value: fault } = project.analysisFault;
  if (!project.isAnalyzed.value && fault !== null)
    return (
      <Empty
        icon="alert"
        title="The form cannot be shown"
        actions={<Button onClick={() => void project.analyze()}>Try again</Button>}
      >
        {fault}
      </Empty>
    );
  if (!project.isAnalyzed.value)
    return (
      <div class="empty">
        <span class="spinner" />
      </div>
    );
  return (
    <div class="form-pane" tabIndex={-1}>
      {project.isBroken.value && (
        <Notice kind="error">
          <strong>The YAML cannot be read.</strong> {project.errors.value[0]?.message} The form shows what could be read
          last.{" "}
          <button type="button" class="link" onClick={() => (mode.value = "yaml")}>
            Mend it in the YAML
          </button>
        </Notice>
      )}
      {fault !== null && (
        <Notice kind="warning">
          <strong>The form may be behind the YAML.</strong> {fault}{" "}
          <button type="button" class="link" onClick={() => void project.analyze()}>
            Try again
          </button>
        </Notice>
      )}
      <StreamHead project={project} />
      {shown.kind === "api" && <ApiForm />}
      {shown.kind === "inputs" && <InputsForm />}
      {shown.kind === "advanced" && <AdvancedForm />}
      {shown.kind === "stream" &&
        (project.analysis.value.outline.streams.some((stream) => stream.index === shown.index) ? (
          <StreamForm key={shown.index} path={["streams", shown.index]} />
        ) : (
          <Empty icon="stream" title="This stream is gone" />
        ))}
      {shown.kind === "template" && (
        <TemplateForm
          key={shown.index}
          path={["dynamic_streams", shown.index]}
          name={project.analysis.value.outline.dynamic_streams.find((one) => one.index === shown.index)?.name ?? ""}
        />
      )}
      {shown.kind === "generated" && <GeneratedForm name={shown.name} />}
    </div>
  );
}
