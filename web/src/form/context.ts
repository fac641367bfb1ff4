import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { SchemaBook } from "../document/schema";
import type { OpenProject } from "../state/project";

export interface FormContext {
  project: OpenProject;
  book: SchemaBook;
  readOnly: boolean;
}

export const Form = createContext<FormContext | null>(null);

export function useForm(): FormContext {
  const form = useContext(Form);
  if (!form) throw new Error("a form is shown outside of a project");
  return form;
}
