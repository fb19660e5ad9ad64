from django.db import migrations, models

from cases.domain.likely import expected_corrections


def count_from_documents(apps, schema_editor):
    karyograms = apps.get_model("cases", "Karyogram").objects
    for pk, document in karyograms.values_list("pk", "document").iterator(chunk_size=50):
        karyograms.filter(pk=pk).update(expected_corrections=expected_corrections(document))


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0004_karyogram_note'),
    ]

    operations = [
        migrations.AddField(
            model_name='karyogram',
            name='expected_corrections',
            field=models.FloatField(default=0, help_text='What it is likely to need, by the chances of its chromosomes; for lists.'),
        ),
        migrations.RunPython(count_from_documents, migrations.RunPython.noop, elidable=True),
    ]
