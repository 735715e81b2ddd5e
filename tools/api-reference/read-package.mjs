import { join } from 'node:path';
import ts from 'typescript';

/**
 * One name a package exports.
 *
 * @typedef {object} Entry
 * @property {string} name
 * @property {'function' | 'class' | 'value' | 'type'} kind
 * @property {string} text - Its declaration, with the docstrings of its members, without its own.
 * @property {string} description - Its docstring up to the first tag.
 * @property {readonly Tag[]} tags
 *
 * @typedef {object} Tag
 * @property {'param' | 'returns' | 'throws'} kind
 * @property {string} subject - The parameter, or the type of what is thrown; empty where it has none.
 * @property {string} text
 *
 * @typedef {object} Package
 * @property {readonly Entry[]} entries - What it exports itself, in the order of its index.
 * @property {readonly string[]} reexported - Packages it exports all of.
 * @property {readonly string[]} augmentations - What it adds to the types of others.
 * @property {readonly string[]} undocumented - Names, and public members of interfaces and classes, without docstring.
 */

/**
 * Reads what a package exports from the declarations `tsc --build` has made of it.
 *
 * @param {string} folder - The package, compiled.
 * @returns {Package}
 */
export function readPackage(folder) {
  const index = join(folder, 'dist/index.d.ts');
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ESNext, noLib: true, types: [] };
  const host = ts.createCompilerHost(options);
  // Its own files are all there is to read: what comes from elsewhere is documented elsewhere.
  host.resolveModuleNameLiterals = (literals, containingFile) => {
    return literals.map(({ text }) => {
      if (!text.startsWith('.')) return { resolvedModule: undefined };
      const resolvedFileName = join(containingFile, '..', `${text}.d.ts`);
      return { resolvedModule: { resolvedFileName, extension: ts.Extension.Dts } };
    });
  };
  const program = ts.createProgram([index], options, host);
  const checker = program.getTypeChecker();
  const indexFile = program.getSourceFile(index);
  const indexSymbol = indexFile && checker.getSymbolAtLocation(indexFile);
  if (indexSymbol === undefined) throw new Error(`${index} exports nothing: run tsc --build first`);

  const symbols = checker.getExportsOfModule(indexSymbol).map((symbol) => {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  });
  const own = symbols.map((symbol) => ({ symbol, declarations: (symbol.declarations ?? []).map(statementOf) }));
  return {
    entries: own.map(({ symbol, declarations }) => toEntry(symbol.name, declarations)),
    reexported: indexFile.statements
      .filter((statement) => ts.isExportDeclaration(statement) && statement.exportClause === undefined)
      .map(({ moduleSpecifier }) => moduleSpecifier.text)
      .filter((specifier) => !specifier.startsWith('.')),
    augmentations: program
      .getSourceFiles()
      .flatMap(({ statements }) => statements.filter((statement) => ts.isModuleDeclaration(statement)))
      .map(textOf),
    undocumented: own.flatMap(({ symbol, declarations }) => undocumentedIn(symbol.name, declarations)),
  };
}

/** A variable is declared inside a statement, which has the docstring. */
function statementOf(declaration) {
  return ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
}

/** @returns {Entry} */
function toEntry(name, declarations) {
  const documented = declarations.find((declaration) => docstringOf(declaration) !== undefined);
  const docstring = documented && docstringOf(documented);
  return {
    name,
    kind: kindOf(declarations[0]),
    text: declarations.map(textOf).join('\n'),
    description: ts.getTextOfJSDocComment(docstring?.comment) ?? '',
    tags: (docstring?.tags ?? []).map((tag) => toTag(name, tag)),
  };
}

function kindOf(declaration) {
  if (ts.isFunctionDeclaration(declaration)) return 'function';
  if (ts.isClassDeclaration(declaration)) return 'class';
  return ts.isVariableStatement(declaration) ? 'value' : 'type';
}

/** @returns {Tag} */
function toTag(owner, tag) {
  const text = (ts.getTextOfJSDocComment(tag.comment) ?? '').replace(/^- /, '');
  if (ts.isJSDocParameterTag(tag)) return { kind: 'param', subject: tag.name.getText(), text };
  if (ts.isJSDocReturnTag(tag)) return { kind: 'returns', subject: '', text };
  if (ts.isJSDocThrowsTag(tag)) {
    return { kind: 'throws', subject: tag.typeExpression?.type.getText() ?? '', text };
  }
  throw new Error(`The docstring of ${owner} has a tag that is not rendered: @${tag.tagName.text}`);
}

function docstringOf(node) {
  return ts.getJSDocCommentsAndTags(node).findLast((comment) => ts.isJSDoc(comment));
}

function isInternal(node) {
  return ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal');
}

/** Members that are nobody's business outside the package. */
function isHidden(member) {
  const isPrivate = ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected);
  return isPrivate !== 0 || (member.name && ts.isPrivateIdentifier(member.name)) || isInternal(member);
}

function membersOf(declaration) {
  return ts.isInterfaceDeclaration(declaration) || ts.isClassDeclaration(declaration) ? [...declaration.members] : [];
}

/** A declaration as a reader wants it: without hidden members. */
function textOf(declaration) {
  const source = declaration.getSourceFile().text;
  let text = '';
  let at = declaration.getStart();
  for (const member of membersOf(declaration).filter(isHidden)) {
    text += source.slice(at, member.getFullStart());
    at = member.end;
  }
  text += source.slice(at, declaration.end);
  return text.replace(/^export /, '').replace(/^declare (?!global|module)/, '');
}

function undocumentedIn(name, declarations) {
  const isDocumented = declarations.some((declaration) => docstringOf(declaration)?.comment !== undefined);
  const members = declarations
    .flatMap(membersOf)
    .filter((member) => member.name !== undefined && !ts.isConstructorDeclaration(member) && !isHidden(member))
    .filter((member) => docstringOf(member)?.comment === undefined);
  return [...(isDocumented ? [] : [name]), ...members.map((member) => `${name}.${member.name.getText()}`)];
}
