import type { Finding } from "../api/types";
import { Icon } from "../ui/Icon";
import { Sentence } from "../ui/Words";

const MOST = 30;

/** What is wrong, each leading to its place. */
export function FindingList({ findings, onChoose }: { findings: Finding[]; onChoose: (finding: Finding) => void }) {
  return (
    <ul class="findings">
      {findings.slice(0, MOST).map((finding, index) => (
        <li key={index}>
          <button type="button" class={finding.level} onClick={() => onChoose(finding)}>
            <Icon name="alert" size={14} />
            <span class="grow">
              <Sentence text={finding.message} />
            </span>
            <span class="muted small">line {finding.line}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
