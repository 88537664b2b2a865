// npm's pivotaltracker, which asks for everything in an envelope, walks through a project.
'use strict';
const assert = require('assert');
const fs = require('fs');
const { promisify } = require('util');
const { Client } = require('pivotaltracker');

const client = new Client(process.env.TRACKER_TOKEN);
const call = (service, name, ...args) => promisify(service[name]).apply(service, args);

async function walk() {
    const project = (await call(client.projects, 'all'))[0];
    const service = client.project(project.id);
    assert.strictEqual((await call(service, 'get')).name, project.name);
    const story = await call(service.stories, 'create', { name: 'In an envelope', storyType: 'chore', description: 'a text' });
    assert.strictEqual(story.storyType, 'chore');
    const changed = await call(service.story(story.id), 'update', { name: 'Still in an envelope', currentState: 'started' });
    assert.strictEqual(changed.name, 'Still in an envelope');
    assert.strictEqual(changed.currentState, 'started');
    assert.strictEqual((await call(service.story(story.id), 'get')).description, 'a text');
    assert.ok((await call(service.stories, 'all', { withState: 'started' })).some((one) => one.id === story.id));

    const task = await call(service.story(story.id).tasks, 'create', { description: 'one thing' });
    assert.strictEqual((await call(service.story(story.id).task(task.id), 'update', { complete: true })).complete, true);
    const comment = await call(service.story(story.id).comments, 'create', { text: 'a remark' });
    assert.strictEqual((await call(service.story(story.id).comment(comment.id), 'update', { text: 'another' })).text, 'another');
    assert.deepStrictEqual((await call(service.story(story.id).comments, 'all')).map((one) => one.text), ['another']);
    await call(service.story(story.id).comment(comment.id), 'delete');
    assert.strictEqual((await call(service.story(story.id).comments, 'all')).length, 0);

    const note = process.env.SCRATCH + '/note.bin';
    fs.writeFileSync(note, Buffer.from([0, 255, 13, 10, 45, 45, 0]));
    const file = await call(service.story(story.id).comment(0).fileAttachments, 'create', note);
    assert.strictEqual(file.size, 7);
    await call(service.story(story.id).comments, 'create', { fileAttachments: [file] });
    await call(client.attachment(file.id), 'download', note + '.back');
    // It calls back before its file is written to the end.
    for (let turns = 0; turns < 100000 && fs.statSync(note + '.back').size < file.size; turns++) await new Promise(setImmediate);
    assert.ok(fs.readFileSync(note).equals(fs.readFileSync(note + '.back')));

    const epic = await call(service.epics, 'create', { name: 'An epic', label: { name: 'an epic' } });
    assert.strictEqual((await call(service.epic(epic.id), 'get')).label.name, 'an epic');
    assert.ok((await call(service.labels, 'all')).some((one) => one.name === 'an epic'));
    const found = await call(service, 'search', 'name:envelope');
    assert.deepStrictEqual(found.stories.map((one) => one.id), [story.id]);

    await assert.rejects(call(service.story(story.id), 'update', { estimate: 'many' }), (problem) => problem.code === 'invalid_parameter');
    await call(service.story(story.id), 'delete');
    await assert.rejects(call(service.story(story.id), 'get'), (problem) => problem.code === 'unfound_resource');
}
walk().then(() => console.log('pivotaltracker: ok'), (problem) => { console.error(problem); process.exit(1); });
