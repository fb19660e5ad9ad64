from django.db import migrations, models
from django.db.models import Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce


def copy_from_documents(apps, schema_editor):
    apps.get_model("cases", "Karyogram").objects.update(note=Coalesce(KT("document__note"), Value("")))


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0003_comments'),
    ]

    operations = [
        migrations.AddField(
            model_name='karyogram',
            name='note',
            field=models.TextField(blank=True, default='', help_text='What is to be known of the whole photograph; for lists.'),
        ),
        migrations.RunPython(copy_from_documents, migrations.RunPython.noop, elidable=True),
    ]
