// Prints, as JSON, what publint and "are the types wrong" have to say of each tarball named on the command line. Both are
// ES modules, which jest cannot load, and in one process TypeScript is loaded once.
import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';

const problems = process.argv.slice(2).map(async (file) => {
  const tarball = new Uint8Array(readFileSync(file));
  const { messages } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
  const analysis = await checkPackage(createPackageFromTarballData(tarball));
  return { publint: messages, types: analysis.types === false ? ['there are none'] : analysis.problems };
});
console.log(JSON.stringify(await Promise.all(problems)));
