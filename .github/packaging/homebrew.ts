import { archiveName, downloadUrl, REPOSITORY, type Target } from "../scripts/release_names.ts";
import { DESCRIPTION } from "./about.ts";
import { sumOf } from "./read_sums.ts";

const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "brew", version: "1" } },
});

/** Gives the formula of a version, which installs the binary of its release. Throws where a sum is missing. */
export function homebrewFormula(version: string, sums: ReadonlyMap<string, string>): string {
  const source = (target: Target): string => {
    const name = archiveName(version, target);
    return `      url "${downloadUrl(version, name)}"\n      sha256 "${sumOf(sums, name)}"\n`;
  };
  const system = (name: string, arm: Target, intel: Target): string =>
    `  on_${name} do\n    on_arm do\n${source(arm)}    end\n    on_intel do\n${source(intel)}    end\n  end\n`;
  return `# Made by .github/scripts/packaging.ts of ${REPOSITORY}: change it there.
class CodexSwarm < Formula
  desc "${DESCRIPTION}"
  homepage "${REPOSITORY}"
  version "${version}"
  license "MIT"

${system("macos", "macos-arm64", "macos-x64")}
${system("linux", "linux-arm64", "linux-x64")}
  def install
    bin.install "codex-swarm"
  end

  test do
    assert_equal "codex-swarm #{version}", shell_output("#{bin}/codex-swarm --version").strip
    request = '${INITIALIZE}'
    answer = pipe_output("#{bin}/codex-swarm --state-dir #{testpath}/state", "#{request}\\n", 0)
    assert_match '"name":"codex-swarm"', answer
  end
end
`;
}
